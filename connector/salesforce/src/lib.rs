//! portcullis-salesforce
