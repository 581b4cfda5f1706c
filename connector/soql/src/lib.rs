//! SOQL and SOSL: trees of Salesforce's query languages, and their canonical text.
//!
//! Follows Salesforce's *SOQL and SOSL Reference*. It knows the grammar alone: no schema, no org, no
//! Apex (bind variables are refused).

pub mod ast;
mod error;
mod literal;
mod print;

pub use ast::*;
pub use error::{ParseError, Position};
pub use literal::{Date, DateLiteral, DateTime, DateUnit, PatternPart, StringLiteral};
