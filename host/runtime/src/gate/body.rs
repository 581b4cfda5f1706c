//! Taking a guest's body to its end, bounded in size and time.
//!
//! A guest that traps, returns or drops its body half-way looks like one that has ended it, and half a
//! JSON text may be one too. So the length must be declared, and be the one that came.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use wasmtime_wasi_http::WasiBody;

use super::GateFailure;
use crate::reply::RefusalCode;

/// Time for a guest to write its body: it has it in memory already.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Reads a body to its end. What is over the bound is read too and thrown away, so that the guest's
/// write ends.
pub(super) async fn drain(
    body: WasiBody,
    headers: &HeaderMap,
    bytes_max: usize,
) -> Result<Bytes, GateFailure> {
    let refuse = |message: &str| GateFailure::refused(RefusalCode::RequestBody, message);
    let collected = tokio::time::timeout(TIME_MAX, collect(body, bytes_max))
        .await
        .map_err(|_| refuse("the connector began a request's body and did not end it"))??;
    match declared(headers)? {
        Some(declared) if declared == collected.len() => Ok(collected),
        None if collected.is_empty() => Ok(collected),
        Some(_) => Err(refuse(
            "a request's body is shorter or longer than its declared length",
        )),
        None => Err(refuse("a request has a body and declares no length")),
    }
}

async fn collect(mut body: WasiBody, bytes_max: usize) -> Result<Bytes, GateFailure> {
    let mut all = BytesMut::new();
    let (mut too_large, mut has_trailers) = (false, false);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            let message = "a request's body broke off before its end";
            GateFailure::refused(RefusalCode::RequestBody, message)
        })?;
        match frame.into_data() {
            Ok(data) if !too_large && all.len() + data.len() <= bytes_max => {
                all.extend_from_slice(&data);
            }
            Ok(_) => {
                too_large = true;
                all = BytesMut::new();
            }
            Err(_) => has_trailers = true,
        }
    }
    if too_large {
        return Err(GateFailure::BodyTooLarge { bytes_max });
    }
    if has_trailers {
        let message = "a request's body has trailers, which no route declares";
        return Err(GateFailure::refused(RefusalCode::RequestBody, message));
    }
    Ok(all.freeze())
}

fn declared(headers: &HeaderMap) -> Result<Option<usize>, GateFailure> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else {
        return Ok(None);
    };
    let parsed = length.to_str().ok().and_then(|text| text.parse().ok());
    match (parsed, lengths.next()) {
        (Some(length), None) => Ok(Some(length)),
        _ => Err(GateFailure::refused(
            RefusalCode::RequestBody,
            "a request's declared length is not one number",
        )),
    }
}
