//! A host and an org for tests: canned answers by path, and a record of what was asked.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_sdk::Failure;
use portcullis_sdk::approvals::Change;
use portcullis_sdk::audit::Source;
use portcullis_sdk::credentials::{Account, Environment, Identity};
use portcullis_sdk::http::{Request, Response};
use portcullis_sdk::permissions::Access;

use crate::host::{Host, Step};

/// A describe with what the tests ask about.
pub(crate) const ACCOUNT: &str = r#"{"name":"Account","label":"Account","labelPlural":"Accounts","keyPrefix":"001","custom":false,
"queryable":true,"createable":true,"updateable":true,"deletable":true,"undeletable":true,"fields":[
{"name":"Id","label":"Account ID","type":"id","length":18,"nillable":false,"createable":false,"updateable":false,"filterable":true,"sortable":true,"defaultedOnCreate":true,"referenceTo":[],"relationshipName":null,"picklistValues":[]},
{"name":"Name","label":"Account Name","type":"string","length":255,"nillable":false,"createable":true,"updateable":true,"filterable":true,"sortable":true,"defaultedOnCreate":false,"nameField":true,"referenceTo":[],"relationshipName":null,"picklistValues":[]},
{"name":"Industry","label":"Industry","type":"picklist","length":255,"nillable":true,"createable":true,"updateable":true,"filterable":true,"sortable":true,"referenceTo":[],"relationshipName":null,"restrictedPicklist":true,"picklistValues":[{"active":true,"defaultValue":false,"label":"Banking","value":"Banking"},{"active":true,"defaultValue":true,"label":"High Tech","value":"Technology"},{"active":false,"defaultValue":false,"label":"Old","value":"Old"}]},
{"name":"AnnualRevenue","label":"Annual Revenue","type":"currency","precision":18,"scale":0,"nillable":true,"createable":true,"updateable":true,"filterable":true,"sortable":true,"referenceTo":[],"relationshipName":null,"picklistValues":[]},
{"name":"Score__c","label":"Score","type":"double","precision":5,"scale":2,"nillable":true,"createable":false,"updateable":false,"calculated":true,"filterable":true,"sortable":true,"custom":true,"referenceTo":[],"relationshipName":null,"picklistValues":[]},
{"name":"Ext__c","label":"External Key","type":"string","length":20,"nillable":true,"createable":true,"updateable":true,"filterable":true,"sortable":true,"custom":true,"externalId":true,"unique":true,"inlineHelpText":"The key\nof the ERP","referenceTo":[],"relationshipName":null,"picklistValues":[]},
{"name":"Description","label":"Account Description","type":"textarea","length":32000,"nillable":true,"createable":true,"updateable":true,"filterable":false,"sortable":false,"referenceTo":[],"relationshipName":null,"picklistValues":[]},
{"name":"OwnerId","label":"Owner ID","type":"reference","length":18,"nillable":false,"createable":true,"updateable":true,"filterable":true,"sortable":true,"defaultedOnCreate":true,"referenceTo":["User"],"relationshipName":"Owner","picklistValues":[]}],
"childRelationships":[{"childSObject":"Contact","field":"AccountId","relationshipName":"Contacts","cascadeDelete":true,"deprecatedAndHidden":false},
{"childSObject":"AccountHistory","field":"AccountId","relationshipName":"Histories","cascadeDelete":true},
{"childSObject":"Thing","field":"AccountId","relationshipName":null}],
"recordTypeInfos":[{"active":true,"available":true,"defaultRecordTypeMapping":true,"developerName":"Household","master":false,"name":"Household","recordTypeId":"01254000001upcKAAQ"},
{"active":true,"available":true,"defaultRecordTypeMapping":false,"developerName":"Master","master":true,"name":"Master","recordTypeId":"012000000000000AAA"}]}"#;

/// The host of a test.
#[derive(Default)]
pub(crate) struct Org {
    identity: Option<Identity>,
    /// Answers by the beginning of the target, none where the connection breaks; the last of a list stays.
    answers: RefCell<BTreeMap<String, Vec<Option<Response>>>>,
    hidden: Vec<(&'static str, &'static str)>,
    forbidden: Vec<&'static str>,
    requests: RefCell<Vec<String>>,
    bodies: RefCell<Vec<String>>,
    pauses_ms: RefCell<Vec<u64>>,
    checked: RefCell<Vec<String>>,
    cited: RefCell<Vec<Source>>,
    steps: RefCell<Vec<String>>,
    announced: RefCell<Vec<Change>>,
}

impl Org {
    pub(crate) fn new() -> Self {
        Self::without_answers().answer(
            "/services/data/v68.0/sobjects/Account/describe",
            200,
            ACCOUNT,
        )
    }

    pub(crate) fn without_answers() -> Self {
        let identity = Identity {
            environment: Environment::Production,
            user_id: "005xx000001SwiUAAS".to_owned(),
            user_name: "ann@acme.example".to_owned(),
            organization_id: Some("00Dxx0000001gPLEAY".to_owned()),
            organization_name: Some("Acme".to_owned()),
            facts: vec![("api_version".to_owned(), "68.0".to_owned())],
        };
        Self {
            identity: Some(identity),
            ..Self::default()
        }
    }

    /// Adds a fact of the sign-in.
    pub(crate) fn fact(mut self, name: &str, value: &str) -> Self {
        let facts = self.identity.as_mut().map(|identity| &mut identity.facts);
        facts
            .into_iter()
            .for_each(|facts| facts.push((name.to_owned(), value.to_owned())));
        self
    }

    pub(crate) fn without_identity(mut self) -> Self {
        self.identity = None;
        self
    }

    /// Answers requests whose target begins so; given twice, the second time with the second answer.
    pub(crate) fn answer(self, target: &str, status: u16, body: &str) -> Self {
        let headers = vec![(
            "Sforce-Limit-Info".to_owned(),
            b"api-usage=18/5000".to_vec(),
        )];
        self.next(target, Some(Response::new(status, headers, body)))
    }

    /// As [`answer`](Self::answer), with headers of the test's own.
    pub(crate) fn respond(self, target: &str, response: Response) -> Self {
        self.next(target, Some(response))
    }

    /// Breaks the connection instead of an answer.
    pub(crate) fn breaks(self, target: &str) -> Self {
        self.next(target, None)
    }

    fn next(self, target: &str, answer: Option<Response>) -> Self {
        self.answers
            .borrow_mut()
            .entry(target.to_owned())
            .or_default()
            .push(answer);
        self
    }

    pub(crate) fn hide(mut self, kind: &'static str, field: &'static str) -> Self {
        self.hidden.push((kind, field));
        self
    }

    pub(crate) fn forbid(mut self, kind: &'static str) -> Self {
        self.forbidden.push(kind);
        self
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.borrow().clone()
    }

    /// The bodies of the reads that have one.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.bodies.borrow().clone()
    }

    pub(crate) fn pauses_ms(&self) -> Vec<u64> {
        self.pauses_ms.borrow().clone()
    }

    /// Each access checked: `Account: Id, Name`.
    pub(crate) fn checked(&self) -> Vec<String> {
        self.checked.borrow().clone()
    }

    pub(crate) fn cited(&self) -> Vec<Source> {
        self.cited.borrow().clone()
    }

    pub(crate) fn announced(&self) -> Vec<Change> {
        self.announced.borrow().clone()
    }

    pub(crate) fn steps(&self) -> Vec<String> {
        self.steps.borrow().clone()
    }
}

impl Host for Org {
    fn account(&self) -> Account {
        Account {
            origin: "https://acme.my.salesforce.com".to_owned(),
            scopes: vec!["api".to_owned()],
            identity: self.identity.clone(),
        }
    }

    fn send(&self, request: Request) -> Result<Response, Failure> {
        let target = request.target()?;
        self.requests.borrow_mut().push(target.clone());
        let body = request.body_bytes().map(String::from_utf8_lossy);
        self.bodies.borrow_mut().extend(body.map(Into::into));
        let mut answers = self.answers.borrow_mut();
        let longest = answers
            .iter_mut()
            .filter(|(prefix, _)| target.starts_with(prefix.as_str()))
            .max_by_key(|(prefix, _)| prefix.len());
        let broke = || Failure::unavailable("the connection broke");
        match longest {
            Some((_, left)) if left.len() > 1 => left.remove(0).ok_or_else(broke),
            Some((_, left)) => left[0].clone().ok_or_else(broke),
            None => {
                let body = r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#;
                Ok(Response::new(404, Vec::new(), body))
            }
        }
    }

    /// A change is noted as `PATCH target | header: value | body`, and answered by the target with `!` before it.
    fn change(
        &self,
        step: &Step<'_>,
        changes: &[Change],
        request: Request,
    ) -> Result<Response, Failure> {
        self.step(&step.title, step.detail);
        self.announced.borrow_mut().extend_from_slice(changes);
        let target = request.target()?;
        let mut said = format!("{:?} {target}", request.method()).to_uppercase();
        said.truncate(said.len() - target.len());
        said.push_str(&target);
        for (name, value) in request.headers() {
            said.push_str(&format!(" | {name}: {value}"));
        }
        let body = request.body_bytes().unwrap_or_default();
        said.push_str(&format!(" | {}", String::from_utf8_lossy(body)));
        self.requests.borrow_mut().push(said);
        let mut answers = self.answers.borrow_mut();
        let answer = match answers.get_mut(&format!("!{target}")) {
            Some(left) if left.len() > 1 => left.remove(0),
            Some(left) => left[0].clone(),
            None => None,
        };
        answer.ok_or_else(|| Failure::unavailable("the connection broke"))
    }

    fn check(&self, accesses: &[Access]) -> Result<(), Failure> {
        for access in accesses {
            let mut line = format!("{}: {}", access.kind, access.fields.join(", "));
            if access.effect != portcullis_sdk::Effect::Read {
                line = format!("{:?} {line}", access.effect);
            }
            self.checked.borrow_mut().push(line);
            if self
                .forbidden
                .iter()
                .any(|kind| access.kind.eq_ignore_ascii_case(kind))
            {
                return Err(Failure::not_permitted(format!(
                    "`{}` is not among this agent's kinds",
                    access.kind
                )));
            }
            let hidden = access
                .fields
                .iter()
                .find(|field| self.is_hidden(&access.kind, field));
            if let Some(field) = hidden {
                return Err(Failure::not_permitted(format!(
                    "`{}.{field}` is hidden from this agent",
                    access.kind
                )));
            }
        }
        Ok(())
    }

    fn visible_fields(&self, kind: &str, fields: &[String]) -> Vec<String> {
        // As the host does: a name that is none fits nothing where anything is limited.
        let is_limited = !self.hidden.is_empty() || !self.forbidden.is_empty();
        let fits = |field: &&String| {
            let is_name = field
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            !self.is_hidden(kind, field) && (is_name || !is_limited)
        };
        fields.iter().filter(fits).cloned().collect()
    }

    fn step(&self, title: &str, detail: Option<&str>) {
        self.steps
            .borrow_mut()
            .push(format!("{title} | {}", detail.unwrap_or_default()));
    }

    fn cite(&self, sources: &[Source]) {
        self.cited.borrow_mut().extend_from_slice(sources);
    }

    fn token_placeholder(&self) -> String {
        "portcullis-of-a-test".to_owned()
    }

    fn pause(&self, duration: Duration) {
        let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.pauses_ms.borrow_mut().push(ms);
    }

    fn jitter_ms(&self, _: u64) -> u64 {
        0
    }
}

impl Org {
    fn is_hidden(&self, kind: &str, field: &str) -> bool {
        self.hidden
            .iter()
            .any(|(k, f)| kind.eq_ignore_ascii_case(k) && field.eq_ignore_ascii_case(f))
    }
}
