//! Descriptions of kinds and fields, remembered for an account: never data of records.
//!
//! A description that the service sent or confirmed within the last minute ([`Limits::schema_fresh`](crate::Limits)) is taken from
//! memory, and the answer says its age (`Age`, RFC 9111, section 5.1). After that the service is asked whether it still holds
//! (`If-Modified-Since`), or for it, where it does not say how to ask. A connector that finds out by its use that it does not asks at once, by `Cache-Control: no-cache`.
//!
//! What is taken from memory is no request: nothing is sent, so nothing is written down. The agent's scope holds for it all the same.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL};

use super::admit::Admitted;
use crate::ports::lock;

/// A remembered answer, without any token.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When the service was last asked about it.
    pub(super) asked: Instant,
}

impl Schema {
    /// Gives how old it is, if it may be used without asking.
    pub(super) fn fresh_age(&self, head: &Admitted, fresh: Duration) -> Option<Duration> {
        let mut directives = head.headers.get_all(CACHE_CONTROL).iter();
        let asks = directives.any(|value| !value.as_bytes().is_empty());
        let age = self.asked.elapsed();
        (!asks && age < fresh).then_some(age)
    }
}

/// The descriptions of one account, up to a number of bytes; the oldest goes first.
#[derive(Debug)]
pub(super) struct SchemaCache {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    order: VecDeque<String>,
    schemas: HashMap<String, Schema>,
}

/// What a description depends on: labels are in the language asked for.
pub(super) fn key(head: &Admitted) -> String {
    let mut key = head.path.as_str().to_owned();
    for name in [ACCEPT, ACCEPT_LANGUAGE] {
        let value = head
            .headers
            .get(name)
            .map_or(&b""[..], |value| value.as_bytes());
        key.push('\n');
        key.push_str(&String::from_utf8_lossy(value));
    }
    if !head.is_own_origin {
        key.push('\n');
        key.push_str(&head.origin.to_string());
    }
    key
}

impl SchemaCache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            kept: Mutex::default(),
        }
    }

    /// Gives what is remembered under a key.
    pub(super) fn get(&self, key: &str) -> Option<Schema> {
        lock(&self.kept).schemas.get(key).cloned()
    }

    /// Notes that the service has said that what is remembered under a key still holds.
    pub(super) fn confirm(&self, key: &str) {
        if let Some(schema) = lock(&self.kept).schemas.get_mut(key) {
            schema.asked = Instant::now();
        }
    }

    /// Remembers an answer.
    pub(super) fn put(&self, key: String, schema: Schema) {
        if schema.body.len() > self.bytes_max {
            return;
        }
        let mut kept = lock(&self.kept);
        kept.forget(&key);
        kept.bytes += schema.body.len();
        kept.order.push_back(key.clone());
        kept.schemas.insert(key, schema);
        while kept.bytes > self.bytes_max
            && let Some(oldest) = kept.order.front().cloned()
        {
            kept.forget(&oldest);
        }
    }
}

impl Kept {
    fn forget(&mut self, key: &str) {
        if let Some(old) = self.schemas.remove(key) {
            self.bytes -= old.body.len();
            self.order.retain(|other| other != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(bytes: usize) -> Schema {
        Schema {
            headers: HeaderMap::new(),
            body: Bytes::from(vec![0; bytes]),
            asked: Instant::now(),
        }
    }

    #[test]
    fn the_oldest_goes_when_it_is_full() {
        let cache = SchemaCache::new(10);
        cache.put("a".into(), schema(4));
        cache.put("b".into(), schema(4));
        cache.put("a".into(), schema(5));
        cache.put("c".into(), schema(5));
        assert!(cache.get("b").is_none());
        assert!(cache.get("a").is_some() && cache.get("c").is_some());
        cache.put("d".into(), schema(11));
        assert!(cache.get("d").is_none() && cache.get("a").is_some());
    }
}
