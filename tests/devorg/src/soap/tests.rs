//! Any message gets an answer in SOAP's shape.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use proptest::prelude::*;

use super::envelope::Envelope;
use super::fault::Fault;
use super::node::Node;
use crate::error::ApiError;

proptest! {
    #[test]
    fn any_text_that_is_sent_back_can_be_read(text in any::<String>(), code in "[A-Z_]{1,20}") {
        let fault = Fault::Api(ApiError::new(500, code.as_str(), text.as_str()));
        let mut xml = String::new();
        let envelope = Node::of("soapenv:Body", vec![fault.node()]);
        envelope.write(&mut xml);
        let xml = format!(
            "<soapenv:Envelope xmlns:soapenv='{}' xmlns:sf='urn:f' xmlns:xsi='urn:i'>{xml}</soapenv:Envelope>",
            super::SOAP
        );
        let read = Envelope::read(xml.as_bytes()).unwrap().operation;
        let detail = &read.child("detail").unwrap().children[0];
        prop_assert_eq!(detail.text_of("exceptionCode"), Some(code.as_str()));
    }
}
