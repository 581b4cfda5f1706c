//! Text that shares the answer it was read from.
//!
//! An answer has thousands of names and values, most of them spelled without escapes: each is a part of the
//! answer's own text, so that reading, copying and forgetting one costs no memory of its own.

use std::fmt;
use std::ops::{Deref, Range};
use std::rc::Rc;

/// A string of an answer, or one of our own.
#[derive(Clone)]
pub struct Text {
    source: Rc<str>,
    range: Range<usize>,
}

impl Text {
    /// Takes the part of `source` that `range` bounds; nothing where that is no part of it.
    pub(super) fn part(source: &Rc<str>, range: Range<usize>) -> Self {
        Self {
            source: Rc::clone(source),
            range,
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.source.get(self.range.clone()).unwrap_or_default()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self {
            source: text.into(),
            range: 0..text.len(),
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
