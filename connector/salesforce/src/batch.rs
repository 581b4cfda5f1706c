//! Several queries in one request (`composite/batch`, *REST API Developer Guide*, "Composite Batch"): the org answers each as if it
//! had come alone, so that what is wrong with one is that one's alone.

use portcullis_sdk::Failure;
use portcullis_sdk::http::{Request, Response, path};

use crate::client::{Client, ReadError, query};
use crate::json::Json;
use crate::service_error::{ServiceError, refusal};

/// What the addresses of the queries begin with, which the service puts before each.
const BASE: &str = "/services/data/";

impl Client<'_> {
    /// Runs queries of our own, at most 25, and gives each its own answer, in their order. One alone is sent as it is; one that the org
    /// could not answer just then is asked again, by itself.
    ///
    /// # Errors
    /// The org or the host refused the whole, or it has no answer.
    pub fn queries(
        &self,
        queries: &[String],
    ) -> Result<Vec<Result<Json, ServiceError>>, ReadError> {
        if let [only] = queries {
            return Ok(vec![self.alone(only)?]);
        }
        let version = self.version()?;
        let mut parts = Vec::with_capacity(queries.len());
        for soql in queries {
            let target = query(version, soql).target()?;
            let url = target.strip_prefix(BASE).unwrap_or(&target);
            parts.push(Json::object([
                ("method", Json::from("GET")),
                ("url", Json::from(url)),
            ]));
        }
        let body = Json::object([("batchRequests", Json::Array(parts))]).text();
        let reply = self.read(|| {
            Request::post(path!("/services/data/{}/composite/batch", version))
                .body("application/json", body.as_bytes())
        })?;
        let results = reply.json.get("results").map_or(&[][..], Json::items);
        if results.len() != queries.len() {
            let message = "the org did not answer each of several queries";
            return Err(Failure::unavailable(message).into());
        }
        let mut answers = Vec::with_capacity(queries.len());
        for (result, soql) in results.iter().zip(queries) {
            answers.push(match answer(result) {
                Err(error) if error.is_transient() => self.alone(soql)?,
                answer => answer,
            });
        }
        Ok(answers)
    }

    fn alone(&self, soql: &str) -> Result<Result<Json, ServiceError>, ReadError> {
        match self.query(soql) {
            Ok(reply) => Ok(Ok(reply.json)),
            Err(ReadError::Service(error)) => Ok(Err(error)),
            Err(failed) => Err(failed),
        }
    }
}

/// Reads the answer to one.
fn answer(result: &Json) -> Result<Json, ServiceError> {
    let status = result.count_at("statusCode").unwrap_or_default();
    let status = u16::try_from(status).unwrap_or_default();
    let json = result.get("result").unwrap_or(&Json::Null);
    match status {
        200..=299 => Ok(json.clone()),
        _ => Err(refusal(&Response::new(status, Vec::new(), json.text()))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;
    use portcullis_sdk::Reason;

    const BATCH: &str = "/services/data/v68.0/composite/batch";
    const QUERY: &str = "/services/data/v68.0/query?q=";

    fn results(results: &str) -> String {
        format!(r#"{{"hasErrors":false,"results":[{results}]}}"#)
    }

    /// Says what came of two queries: the answer, or the code of the refusal.
    fn two(org: &Org) -> Result<Vec<String>, Failure> {
        let both = ["SELECT A FROM B", "SELECT C FROM D WHERE E = '1+1 & 2'"].map(str::to_owned);
        let answers = Client::new(org).queries(&both)?;
        let said = answers.into_iter().map(|answer| match answer {
            Ok(json) => json.text(),
            Err(error) => error.code.unwrap_or_default(),
        });
        Ok(said.collect())
    }

    #[test]
    fn each_query_has_its_own_answer() {
        let org = Org::new().answer(
            BATCH,
            200,
            &results(
                r#"{"statusCode":400,"result":[{"errorCode":"INVALID_FIELD","message":"m"}]},{"statusCode":200,"result":{"records":[]}}"#,
            ),
        );
        assert_eq!(two(&org).unwrap(), ["INVALID_FIELD", r#"{"records":[]}"#]);
        assert_eq!(org.requests(), [BATCH]);
        assert_eq!(
            org.bodies(),
            [
                r#"{"batchRequests":[{"method":"GET","url":"v68.0/query?q=SELECT%20A%20FROM%20B"},{"method":"GET","url":"v68.0/query?q=SELECT%20C%20FROM%20D%20WHERE%20E%20%3D%20%271%2B1%20%26%202%27"}]}"#
            ]
        );
    }

    #[test]
    fn one_alone_is_a_query_like_any_other() {
        let org = Org::new().answer(QUERY, 200, "1");
        let answers = Client::new(&org).queries(&["SELECT A FROM B".to_owned()]);
        assert_eq!(answers.unwrap(), [Ok(Json::parse("1").unwrap())]);
        assert_eq!(org.requests(), [format!("{QUERY}SELECT%20A%20FROM%20B")]);
    }

    #[test]
    fn one_that_may_pass_is_asked_again_by_itself() {
        let busy = r#"{"statusCode":503,"result":[{"errorCode":"SERVER_UNAVAILABLE","message":"m"}]},{"statusCode":200,"result":2}"#;
        let org = Org::new()
            .answer(BATCH, 200, &results(busy))
            .answer(QUERY, 200, "1");
        assert_eq!(two(&org).unwrap(), ["1", "2"]);
        assert_eq!(org.requests().len(), 2);
    }

    #[test]
    fn the_whole_is_repeated_as_any_read_is() {
        let done = results(r#"{"statusCode":200,"result":1},{"statusCode":200,"result":2}"#);
        let org = Org::new()
            .answer(BATCH, 503, "")
            .breaks(BATCH)
            .answer(BATCH, 200, &done);
        assert_eq!(two(&org).unwrap(), ["1", "2"]);
        assert_eq!(org.requests().len(), 3);

        let used_up = r#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"m"}]"#;
        let org = Org::new().answer(BATCH, 403, used_up);
        assert_eq!(two(&org).unwrap_err().reason, Reason::RateLimited);
        assert_eq!(org.requests().len(), 1);
        // What is not an answer to each is none.
        for short in [r#"{"statusCode":200,"result":1}"#, ""] {
            let org = Org::new().answer(BATCH, 200, &results(short));
            assert_eq!(two(&org).unwrap_err().reason, Reason::Unavailable);
        }
    }
}
