//! SOQL and SOSL: trees of Salesforce's query languages, and their canonical text.
//!
//! Follows Salesforce's *SOQL and SOSL Reference*. It knows the grammar alone: no schema, no org, no
//! Apex (bind variables are refused).

mod access;
pub mod ast;
mod error;
mod lexer;
mod literal;
mod parser;
mod print;
mod token;

pub use access::{Access, FieldRole, FieldUse, FromItemRef, Relation};
pub use ast::*;
pub use error::{ParseError, Position};
pub use literal::{Date, DateLiteral, DateTime, DateUnit, PatternPart, StringLiteral, Time};
pub use parser::{INPUT_CHARS_MAX, NESTING_MAX, parse_query, parse_search};
