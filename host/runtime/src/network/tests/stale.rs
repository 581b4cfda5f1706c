//! Connections that the service closed while they were kept: a change is never sent twice, and what is
//! said to be unsent was not sent.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use http::Method;

use super::peer::{HELLO, Peer, get, post, request};
use crate::network::{Client, NetworkError, Timeouts};

/// How often a race is run at least.
const ROUNDS: usize = 20;
/// How often it is run until it is won once: on a busy machine the loser is often the quicker one.
const ROUNDS_MAX: usize = 2_000;

/// A service that closes its first connection after one answer, and says when it did.
fn closing() -> (Peer, Receiver<()>) {
    let (closed, was_closed) = channel();
    let closed = Mutex::new(closed);
    let service = Peer::new(move |wire| {
        wire.request()?;
        wire.say(HELLO)?;
        if wire.number > 1 {
            return wire.answer_all(HELLO);
        }
        wire.close()?;
        let _nobody_waits = closed.lock().unwrap().send(());
        Ok(())
    });
    (service, was_closed)
}

/// Leaves `client` with a kept connection that is closed, which it has no chance to notice before its
/// next request: the runtime's only thread is held until then, and then told of both at once.
async fn go_stale(client: &Client, service: &Peer, was_closed: &Receiver<()>) {
    get(client, &service.url("/first")).await.unwrap();
    was_closed.recv().unwrap();
    tokio::task::yield_now().await;
}

fn lines(service: &Peer) -> Vec<String> {
    let seen = service.seen().into_iter();
    seen.skip(1).map(|seen| seen.line).collect()
}

#[tokio::test]
async fn a_change_on_a_closed_connection_is_reported_and_not_sent_again() {
    let mut unsent = 0;
    for round in 0..ROUNDS_MAX {
        if round >= ROUNDS && unsent > 0 {
            break;
        }
        let (service, was_closed) = closing();
        let client = service.client();
        go_stale(&client, &service, &was_closed).await;
        match post(&client, &service.url("/change"), "x").await {
            // It noticed in time after all, and opened another connection.
            Ok(_) => assert_eq!(lines(&service), ["POST /change HTTP/1.1"]),
            Err(error) => {
                assert_eq!(lines(&service), [""; 0], "{error:?}");
                assert_eq!(service.opened(), 1, "{error:?}");
                let promised = matches!(error, NetworkError::Unsent { .. });
                assert_eq!(error.may_have_been_sent(), !promised, "{error:?}");
                unsent += usize::from(promised);
            }
        }
        // Whatever happened, the next one has a good connection.
        post(&client, &service.url("/next"), "x").await.unwrap();
        assert_eq!(service.opened(), 2);
    }
    assert!(unsent > 0, "the race was never won in {ROUNDS_MAX} rounds");
}

#[tokio::test]
async fn a_read_on_a_closed_connection_is_sent_again_on_another() {
    for method in [Method::GET, Method::HEAD] {
        let mut answered = 0;
        for round in 0..ROUNDS_MAX {
            if round >= ROUNDS && answered > 0 {
                break;
            }
            let (service, was_closed) = closing();
            let client = service.client();
            go_stale(&client, &service, &was_closed).await;
            let read = request(method.clone(), &service.url("/read"), "");
            match client.send(read, Timeouts::default()).await {
                Ok(_) => {
                    assert_eq!(lines(&service), [format!("{method} /read HTTP/1.1")]);
                    answered += 1;
                }
                // Bytes may have left before the close was seen.
                Err(error) => assert!(error.may_have_been_sent(), "{error:?}"),
            }
        }
        assert!(answered > 0, "{method} was never answered");
    }
}

/// A service that reads a connection's second request to its end and closes without an answer.
fn swallowing() -> Peer {
    Peer::new(|wire| {
        wire.request()?;
        wire.say(HELLO)?;
        wire.request()?;
        wire.close()
    })
}

#[tokio::test]
async fn what_a_service_read_and_did_not_answer_is_never_sent_again() {
    for method in [Method::POST, Method::PATCH, Method::DELETE, Method::GET] {
        let service = swallowing();
        let client = service.client();
        get(&client, &service.url("/first")).await.unwrap();
        let request = request(method.clone(), &service.url("/x"), "");
        let error = client.send(request, Timeouts::default()).await;
        let error = error.unwrap_err();
        assert!(matches!(error, NetworkError::Broken { .. }), "{error:?}");
        assert!(error.may_have_been_sent());
        assert_eq!(lines(&service), [format!("{method} /x HTTP/1.1")]);
        assert_eq!(service.opened(), 1);
    }
}

#[tokio::test]
async fn half_an_answer_and_no_http_may_both_have_been_acted_on() {
    for answer in ["HTTP/1.1 20", "220 mail.example ESMTP\r\n", ""] {
        let service = Peer::saying(answer);
        let url = service.url("/");
        let error = post(&service.client(), &url, "x").await.unwrap_err();
        assert!(matches!(error, NetworkError::Broken { .. }), "{error:?}");
        assert!(error.may_have_been_sent());
        assert_eq!(
            error.to_string(),
            "the exchange with `127.0.0.1` broke before its answer: whether it acted on the request is not \
             known"
        );
        assert_eq!(service.seen().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_a_close_races_a_change_the_report_is_true() {
    // Closes each connection the moment it answered.
    let service = Peer::saying(HELLO);
    let client = service.client();
    for round in 0..200 {
        let outcome = post(&client, &service.url("/"), &round.to_string()).await;
        let mark = round.to_string();
        let times = service.seen().iter().filter(|s| s.body == mark).count();
        match outcome {
            Ok(_) => assert_eq!(times, 1),
            Err(error) if error.may_have_been_sent() => assert!(times <= 1, "{error:?}"),
            Err(error) => assert_eq!(times, 0, "{error:?}"),
        }
    }
    let marks: std::collections::HashSet<_> = service.seen().into_iter().map(|s| s.body).collect();
    assert_eq!(marks.len(), service.seen().len(), "one was sent twice");
}
