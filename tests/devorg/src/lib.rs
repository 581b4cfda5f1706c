//! salesforce-devorg
