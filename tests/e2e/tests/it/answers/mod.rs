//! What the Salesforce tools answer, case by case, at the dev org: each tool has a table of cases, and a snapshot of what a model
//! reads, what is sent for it and what the audit log names as its sources.

mod cases;
mod columns;
mod documented;
mod files;
mod insight;
mod interrupted;
pub mod requests;
