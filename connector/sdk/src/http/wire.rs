//! The calls on `wasi:http`: the only place that makes a request.

use super::error;
use super::request::{Method, Request};
use super::response::Response;
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    self as http, ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::credentials;
use crate::failure::Failure;

/// How much is asked of the response's stream at once, in bytes.
const READ_BYTES: u64 = 64 * 1024;

/// Sends `request` to `target`, a path and query, and reads the response to its end.
///
/// # Errors
///
/// As [`Request::send`].
pub(super) fn send(request: &Request, target: &str) -> Result<Response, Failure> {
    let outgoing = prepare(request, target)?;
    let options = options(request)?;
    let body = match &request.body {
        Some(bytes) => Some((outgoing.body().map_err(|()| unprepared("its body"))?, bytes)),
        None => None,
    };
    let future =
        outgoing_handler::handle(outgoing, options).map_err(|code| error::failure(&code))?;
    // The body goes out after `handle`: before it, no one reads what is written.
    let written = match body {
        Some((body, bytes)) => write(body, bytes),
        None => Ok(()),
    };
    // A host that refuses a request may close its body early, so the answer
    // explains more than the write does.
    let response = wait(&future)?;
    written?;
    read(response, request.response_bytes_max)
}

fn prepare(request: &Request, target: &str) -> Result<OutgoingRequest, Failure> {
    let fields = Fields::new();
    for (name, value) in &request.headers {
        fields.append(name, value.as_bytes()).map_err(|problem| {
            Failure::internal(format!(
                "the host does not accept the header `{name}`: {problem}"
            ))
        })?;
    }
    let origin = request
        .origin
        .clone()
        .unwrap_or_else(|| credentials::current().origin);
    let (scheme, authority) = match origin.split_once("://") {
        Some(("https", authority)) => (Scheme::Https, authority),
        Some(("http", authority)) => (Scheme::Http, authority),
        _ => return Err(Failure::internal(format!("`{origin}` is not an origin"))),
    };
    let outgoing = OutgoingRequest::new(fields);
    outgoing
        .set_method(&method(request.method))
        .map_err(|()| unprepared("its method"))?;
    outgoing
        .set_scheme(Some(&scheme))
        .map_err(|()| unprepared("its scheme"))?;
    outgoing
        .set_authority(Some(authority))
        .map_err(|()| unprepared("its host"))?;
    outgoing
        .set_path_with_query(Some(target))
        .map_err(|()| unprepared("its path"))?;
    Ok(outgoing)
}

fn unprepared(part: &str) -> Failure {
    Failure::internal(format!(
        "the host does not accept the request: {part} cannot be sent"
    ))
}

fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::Get,
        Method::Head => http::Method::Head,
        Method::Post => http::Method::Post,
        Method::Put => http::Method::Put,
        Method::Patch => http::Method::Patch,
        Method::Delete => http::Method::Delete,
    }
}

fn options(request: &Request) -> Result<Option<RequestOptions>, Failure> {
    let Some(timeout) = request.timeout else {
        return Ok(None);
    };
    let nanoseconds = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    let options = RequestOptions::new();
    options
        .set_connect_timeout(Some(nanoseconds))
        .and_then(|()| options.set_first_byte_timeout(Some(nanoseconds)))
        .and_then(|()| options.set_between_bytes_timeout(Some(nanoseconds)))
        .map_err(|()| unprepared("its timeout"))?;
    Ok(Some(options))
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), Failure> {
    let stream = body.write().map_err(|()| unprepared("its body"))?;
    write_all(&stream, bytes).map_err(|problem| broken_stream(&problem))?;
    // The stream is a child of the body and must go first.
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|code| error::failure(&code))
}

fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now)?;
        bytes = later;
    }
    stream.blocking_flush()
}

fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, Failure> {
    let defect = || Failure::internal("the host gave no response to a request");
    future.subscribe().block();
    future
        .get()
        .ok_or_else(defect)?
        .map_err(|()| defect())?
        .map_err(|code| error::failure(&code))
}

fn read(response: IncomingResponse, bytes_max: usize) -> Result<Response, Failure> {
    let status = response.status();
    let headers = response.headers().entries();
    let declared = declared_length(&headers);
    let defect = |()| Failure::internal("the host gave a response without a body");
    let body: IncomingBody = response.consume().map_err(defect)?;
    let stream = body.stream().map_err(defect)?;
    let bytes = read_all(&stream, declared, bytes_max)?;
    Ok(Response::new(status, headers, bytes))
}

/// How long the body will be, in bytes, if the service says so.
fn declared_length(headers: &[(String, Vec<u8>)]) -> Option<usize> {
    let (_, length) = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    std::str::from_utf8(length).ok()?.parse().ok()
}

/// Reads a body to its end: the end of the stream, or as many bytes as were declared, which the host has counted.
fn read_all(
    stream: &InputStream,
    declared: Option<usize>,
    bytes_max: usize,
) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    while declared != Some(all.len()) {
        match stream.blocking_read(READ_BYTES) {
            Ok(chunk) if chunk.len() > bytes_max - all.len() => {
                return Err(Failure::internal(format!(
                    "the service's answer is larger than {bytes_max} bytes"
                ))
                .hint("ask for fewer records or fields"));
            }
            // Most answers come in one piece.
            Ok(chunk) if all.is_empty() => {
                all = chunk;
                // The rest has its place at once: one that grows by doubling takes twice the memory.
                let rest = declared.unwrap_or_default().min(bytes_max);
                all.reserve_exact(rest.saturating_sub(all.len()));
            }
            Ok(chunk) => all.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break,
            Err(problem) => return Err(broken_stream(&problem)),
        }
    }
    Ok(all)
}

fn broken_stream(problem: &StreamError) -> Failure {
    match problem {
        StreamError::Closed => error::failure(&ErrorCode::ConnectionTerminated),
        StreamError::LastOperationFailed(cause) => match http::http_error_code(cause) {
            Some(code) => error::failure(&code),
            None => Failure::unavailable(format!(
                "the connection to the service broke: {}",
                cause.to_debug_string()
            )),
        },
    }
}
