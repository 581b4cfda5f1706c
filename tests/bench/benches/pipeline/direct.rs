//! What a client asks that has nothing between itself and the org: one kept-alive connection, `TCP_NODELAY` on both ends.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use salesforce_devorg::DevOrg;
use tokio::net::TcpStream;

/// A connection to an org, as its administrator.
pub(crate) struct Direct {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    authorization: String,
}

impl Direct {
    pub(crate) async fn connect(org: &DevOrg) -> Self {
        let stream = TcpStream::connect(org.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            host: org.address().to_string(),
            authorization: format!("Bearer {}", org.users()[0].access_token),
        }
    }

    /// Asks the org, and reads the whole answer.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: String) -> Bytes {
        self.sender.ready().await.unwrap();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("authorization", &self.authorization)
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        response.into_body().collect().await.unwrap().to_bytes()
    }
}
