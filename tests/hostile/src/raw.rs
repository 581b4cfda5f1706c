//! Requests on bare `wasi:http`, without the SDK's manners.
//!
//! Nothing is encoded, checked or bounded: targets, hosts and headers go to the host as they are given.

use portcullis_sdk::bindings::wasi::clocks::monotonic_clock;
use portcullis_sdk::bindings::wasi::http::outgoing_handler;
use portcullis_sdk::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, Scheme,
};
use portcullis_sdk::bindings::wasi::io::streams::{OutputStream, StreamError};
use portcullis_sdk::{Failure, Output, Reason, account};

/// A request as it goes to the host.
#[derive(Clone, Debug)]
pub struct Raw<'a> {
    /// `GET`, `PATCH`, or anything else.
    pub method: &'a str,
    /// Scheme and authority; none: the connection's.
    pub origin: Option<&'a str>,
    /// Path and query.
    pub target: &'a str,
    /// Header names and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// None: no body is opened.
    pub body: Option<&'a [u8]>,
}

impl<'a> Raw<'a> {
    /// A request without headers or body to the connection's origin.
    #[must_use]
    pub fn new(method: &'a str, target: &'a str) -> Self {
        Self {
            method,
            origin: None,
            target,
            headers: Vec::new(),
            body: None,
        }
    }

    /// Sends to another origin.
    #[must_use]
    pub fn origin(mut self, origin: &'a str) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a body and its length.
    #[must_use]
    pub fn body(mut self, bytes: &'a [u8]) -> Self {
        self.body = Some(bytes);
        self.header("content-length", bytes.len().to_string())
    }

    /// Makes the request, and its body if it has one, without handing it to the host yet.
    ///
    /// # Errors
    ///
    /// `not-permitted` where the host refuses a part of it at once.
    pub fn prepare(&self) -> Result<(OutgoingRequest, Option<OutgoingBody>), Failure> {
        let fields = Fields::new();
        for (name, value) in &self.headers {
            fields
                .append(name, value)
                .map_err(|error| refused(&format!("header `{name}`: {error}")))?;
        }
        let origin = match self.origin {
            Some(origin) => origin.to_owned(),
            None => account().origin,
        };
        let (scheme, authority) = origin.split_once("://").unwrap_or(("https", &origin));
        let scheme = match scheme {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            other => Scheme::Other(other.to_owned()),
        };
        let part = |part: &'static str| move |()| refused(part);
        let request = OutgoingRequest::new(fields);
        request
            .set_method(&method(self.method))
            .map_err(part("method"))?;
        request.set_scheme(Some(&scheme)).map_err(part("scheme"))?;
        request
            .set_authority(Some(authority))
            .map_err(part("authority"))?;
        request
            .set_path_with_query(Some(self.target))
            .map_err(part("path"))?;
        let body = match self.body {
            Some(_) => Some(request.body().map_err(part("body"))?),
            None => None,
        };
        Ok((request, body))
    }

    /// Sends the request and returns the response with its body unread.
    ///
    /// # Errors
    ///
    /// `stopped` where the host denied it, `not-permitted` where it refused a part of it at
    /// once, `internal` with the error's name for anything else.
    pub fn open(&self) -> Result<IncomingResponse, Failure> {
        let (request, body) = self.prepare()?;
        let future = outgoing_handler::handle(request, None).map_err(failure)?;
        let written = match (body, self.body) {
            (Some(body), Some(bytes)) => write(body, bytes),
            _ => Ok(()),
        };
        let response = wait(&future)?;
        written?;
        Ok(response)
    }

    /// Sends the request with all of its body but the last byte.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and `internal` where there is no body.
    pub fn begin(&self) -> Result<Begun<'a>, Failure> {
        let (request, body) = self.prepare()?;
        let (Some(body), Some((first, rest))) = (
            body,
            self.body
                .and_then(|bytes| bytes.split_at_checked(bytes.len().checked_sub(1)?)),
        ) else {
            return Err(Failure::internal("there is no body to begin"));
        };
        let stream = body.write().map_err(|()| refused("body"))?;
        let future = outgoing_handler::handle(request, None).map_err(failure)?;
        write_all(&stream, first)
            .map_err(|error| Failure::internal(format!("writing: {error:?}")))?;
        Ok(Begun {
            future,
            body,
            stream,
            rest,
        })
    }

    /// Sends the request and answers with status, location and body.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn send(&self) -> Result<Output, Failure> {
        let response = self.open()?;
        let status = response.status();
        let location = response.headers().get("location").concat();
        let stream = response
            .consume()
            .map_err(|()| Failure::internal("the response has no body"))?;
        let stream = stream
            .stream()
            .map_err(|()| Failure::internal("the body has no stream"))?;
        let mut body = Vec::new();
        loop {
            match stream.blocking_read(64 * 1024) {
                Ok(chunk) => body.extend_from_slice(&chunk),
                Err(StreamError::Closed) => break,
                Err(error) => return Err(Failure::internal(format!("reading: {error:?}"))),
            }
        }
        let location = String::from_utf8_lossy(&location);
        let body = String::from_utf8_lossy(&body);
        Ok(Output::text(format!("{status} {location} {body}")))
    }
}

/// A request that was handed to the host, and whose body is not at its end.
pub struct Begun<'a> {
    future: FutureIncomingResponse,
    body: OutgoingBody,
    stream: OutputStream,
    rest: &'a [u8],
}

impl Begun<'_> {
    /// Ends the body and waits for the response's head.
    ///
    /// # Errors
    ///
    /// As [`Raw::open`].
    pub fn end(self) -> Result<IncomingResponse, Failure> {
        let Self {
            future,
            body,
            stream,
            rest,
        } = self;
        write_all(&stream, rest)
            .map_err(|error| Failure::internal(format!("writing: {error:?}")))?;
        drop(stream);
        OutgoingBody::finish(body, None).map_err(failure)?;
        wait(&future)
    }
}

/// Waits for the response of a request that was handed to the host.
///
/// # Errors
///
/// As [`Raw::open`].
pub fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, Failure> {
    future.subscribe().block();
    match future.get() {
        Some(Ok(answer)) => answer.map_err(failure),
        _ => Err(Failure::internal("the host gave no response")),
    }
}

/// Writes `bytes` and waits until the host has taken them.
///
/// # Errors
///
/// The stream's, where the host closed it.
pub fn write_all(stream: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    // The most that one such call may write.
    for chunk in bytes.chunks(4096) {
        stream.blocking_write_and_flush(chunk)?;
    }
    Ok(())
}

/// Sleeps for so many milliseconds without using any processor time.
pub fn sleep(milliseconds: u64) {
    monotonic_clock::subscribe_duration(milliseconds.saturating_mul(1_000_000)).block();
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), Failure> {
    let stream = body.write().map_err(|()| refused("body"))?;
    write_all(&stream, bytes).map_err(|error| Failure::internal(format!("writing: {error:?}")))?;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(failure)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        other => Method::Other(other.to_owned()),
    }
}

fn refused(part: &str) -> Failure {
    Failure::not_permitted(format!("the host refused a part of the request: {part}"))
}

fn failure(code: ErrorCode) -> Failure {
    let reason = match code {
        ErrorCode::HttpRequestDenied => Reason::Stopped,
        _ => Reason::Internal,
    };
    Failure::new(reason, format!("{code:?}"))
}
