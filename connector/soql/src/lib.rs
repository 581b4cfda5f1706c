//! soql
