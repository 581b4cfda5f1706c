//! Searching a response for tokens, over the borders of its frames, and bounding it.
//!
//! The attack: a service that echoes what it was sent, in an error page or a debug header, and a
//! component that reads it there.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http_body::{Body, Frame};
use memchr::memmem::Finder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use wasmtime_wasi_http::Error;

use super::credential;
use super::send::Arriving;
use crate::ports::credentials::Token;

/// A secret shorter than this is not searched for: it would be found everywhere.
const NEEDLE_BYTES_MIN: usize = 4;

/// What is overwritten: each token as it is, and as it stands in a URL or a form, or in XML.
pub(super) struct Needles(Vec<Finder<'static>>);

impl Needles {
    pub(super) fn of(tokens: &[Token]) -> Self {
        let mut texts: Vec<String> = Vec::new();
        for token in tokens {
            let secret = token.secret.expose_secret();
            for text in [
                secret.to_owned(),
                utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
                credential::escaped(secret),
            ] {
                if text.len() >= NEEDLE_BYTES_MIN && !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        let finders = texts.iter().map(|text| Finder::new(text).into_owned());
        Self(finders.collect())
    }

    /// Overwrites every token in a header's value.
    pub(super) fn scrub_header(&self, value: &mut HeaderValue) {
        if self
            .0
            .iter()
            .any(|needle| needle.find(value.as_bytes()).is_some())
        {
            *value = HeaderValue::from_static("[removed]");
        }
    }

    /// Overwrites every token in `bytes` with as many asterisks.
    fn scrub(&self, bytes: &mut [u8]) {
        for needle in &self.0 {
            let length = needle.needle().len();
            let mut from = 0;
            while let Some(at) = bytes.get(from..).and_then(|rest| needle.find(rest)) {
                bytes[from + at..from + at + length].fill(b'*');
                from += at + length;
            }
        }
    }

    /// How many of the last bytes may be the beginning of a token, and must wait for what follows.
    fn held_back(&self, bytes: &[u8]) -> usize {
        self.0
            .iter()
            .map(|needle| {
                let needle = needle.needle();
                let longest = bytes.len().min(needle.len().saturating_sub(1));
                (1..=longest)
                    .rev()
                    .find(|length| needle.starts_with(&bytes[bytes.len() - length..]))
                    .unwrap_or(0)
            })
            .max()
            .unwrap_or(0)
    }
}

/// A body without tokens, of the same length.
pub(super) struct Scrubbed {
    inner: Bounded,
    needles: Needles,
    held: BytesMut,
    done: bool,
}

impl Scrubbed {
    pub(super) fn new(inner: Bounded, needles: Needles) -> Self {
        Self {
            inner,
            needles,
            held: BytesMut::new(),
            done: false,
        }
    }
}

impl Body for Scrubbed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        while !this.done {
            match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                None => {
                    this.done = true;
                    if !this.held.is_empty() {
                        let rest = this.held.split().freeze();
                        return Poll::Ready(Some(Ok(Frame::data(rest))));
                    }
                }
                Some(Err(error)) => {
                    this.done = true;
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(frame)) => {
                    // Trailers are not passed on: nobody has asked for any.
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    if this.needles.0.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                    this.held.extend_from_slice(&data);
                    this.needles.scrub(&mut this.held);
                    let ready = this.held.len() - this.needles.held_back(&this.held);
                    if ready > 0 {
                        let ready = this.held.split_to(ready).freeze();
                        return Poll::Ready(Some(Ok(Frame::data(ready))));
                    }
                }
            }
        }
        Poll::Ready(None)
    }
}

/// A body up to a number of bytes; beyond it, an error.
pub(super) struct Bounded {
    inner: Arriving,
    left: usize,
    bytes_max: usize,
}

impl Bounded {
    pub(super) fn new(inner: Arriving, bytes_max: usize) -> Self {
        Self {
            inner,
            left: bytes_max,
            bytes_max,
        }
    }
}

impl Body for Bounded {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(_)) => return Poll::Ready(Some(Err(Error::HttpResponseIncomplete))),
            Some(Ok(frame)) => frame,
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                let bytes_max = u64::try_from(self.bytes_max).unwrap_or(u64::MAX);
                Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(bytes_max)))))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;

    use super::*;

    fn token(secret: &str) -> Token {
        Token {
            secret: secret.to_owned().into(),
            generation: 0,
        }
    }

    /// Sends `text` in frames that end at `cuts` through the search.
    fn through(
        text: &[u8],
        cuts: &[usize],
        secrets: &[&str],
        bytes_max: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut frames = Vec::new();
        let mut from = 0;
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.sort_unstable();
        for cut in cuts.into_iter().chain([text.len()]) {
            frames.push(Bytes::copy_from_slice(&text[from..cut]));
            from = cut;
        }
        let frames = frames
            .into_iter()
            .map(|data| Ok::<_, hyper::Error>(Frame::data(data)));
        let body = StreamBody::new(Frames(frames.collect::<Vec<_>>().into_iter())).boxed_unsync();
        let tokens: Vec<Token> = secrets.iter().map(|secret| token(secret)).collect();
        let scrubbed = Scrubbed::new(Bounded::new(body, bytes_max), Needles::of(&tokens));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let collected = runtime.block_on(scrubbed.collect())?;
        Ok(collected.to_bytes().to_vec())
    }

    struct Frames(std::vec::IntoIter<Result<Frame<Bytes>, hyper::Error>>);

    impl futures_core::Stream for Frames {
        type Item = Result<Frame<Bytes>, hyper::Error>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.next())
        }
    }

    #[test]
    fn a_token_goes_wherever_frames_end() {
        let text = b"before 00D!AQtoken00D!AQtoken after 00D!AQtoke 00D%21AQtoken 00D!A";
        for first in 0..text.len() {
            for second in first..text.len() {
                let found = through(text, &[first, second], &["00D!AQtoken"], 1000).unwrap();
                assert_eq!(
                    String::from_utf8_lossy(&found),
                    "before ********************** after 00D!AQtoke ************* 00D!A",
                    "cut at {first} and {second}"
                );
            }
        }
    }

    #[test]
    fn a_token_goes_as_xml_has_it() {
        let found = through(b"<id>a&amp;b&lt;c!</id> a&b<c!", &[8], &["a&b<c!"], 1000).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&found),
            "<id>*************</id> ******"
        );
    }

    #[test]
    fn a_body_ends_at_its_bound() {
        assert_eq!(through(b"12345", &[2], &[], 5).unwrap(), b"12345");
        let error = through(b"123456", &[2], &[], 5).unwrap_err();
        assert!(matches!(error, Error::HttpResponseBodySize(Some(5))));
    }

    #[test]
    fn headers_lose_the_token_too() {
        let needles = Needles::of(&[token("secret!")]);
        let mut value = HeaderValue::from_static("Bearer secret!");
        needles.scrub_header(&mut value);
        assert_eq!(value, "[removed]");
        let mut value = HeaderValue::from_static("text/html");
        needles.scrub_header(&mut value);
        assert_eq!(value, "text/html");
    }

    proptest! {
        #[test]
        fn nothing_else_changes_and_no_token_stays(
            text in "[ab!]{0,60}",
            cuts in proptest::collection::vec(0_usize..61, 0..6),
        ) {
            let found = through(text.as_bytes(), &cuts, &["ab!a"], 1000).unwrap();
            let found = String::from_utf8(found).unwrap();
            prop_assert_eq!(found.len(), text.len());
            prop_assert!(!found.contains("ab!a"));
            for (new, old) in found.chars().zip(text.chars()) {
                prop_assert!(new == old || new == '*');
            }
        }
    }
}
