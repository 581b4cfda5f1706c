//! portcullis-guest-build
