#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;

fn record() -> UriTemplate {
    UriTemplate::parse("crm://{object}/{id}").unwrap()
}

#[test]
fn an_address_gives_what_its_variables_are() {
    let values = record().values("crm://Account/001A%20%C3%A9%2Fx").unwrap();
    assert_eq!(values["object"], "Account");
    assert_eq!(values["id"], "001A é/x");
    assert_eq!(
        record().uri(&values).unwrap(),
        "crm://Account/001A%20%C3%A9%2Fx"
    );
    assert!(record().values("CRM://Account/1").is_some());
    let fixed = UriTemplate::parse("crm://limits").unwrap();
    assert!(fixed.values("crm://limits").unwrap().is_empty());
    assert_eq!(fixed.variables().count(), 0);
}

#[test]
fn what_could_be_read_otherwise_is_no_address() {
    for uri in [
        "",
        "crm",
        "crm:/Account/1",
        "crm://Account",
        "crm://Account/",
        "crm://Account/1/2",
        "crm:///Account/1",
        "crms://Account/1",
        "crm://Account/1?x=2",
        "crm://Account/1#x",
        "crm://Account/..",
        "crm://Account/%2e%2e",
        "crm://./1",
        "crm://Account/%0a",
        "crm://Account/%00",
        "crm://Account/%",
        "crm://Account/%z1",
        "crm://Account/%ff",
        "crm://Account/a b",
        "crm://Account/é",
        "crm://Account/{id}",
        "crm://Account\\1/2",
    ] {
        assert_eq!(record().values(uri), None, "{uri}");
    }
    let long = format!("crm://Account/{}", "a".repeat(256));
    assert_eq!(record().values(&long), None);
    assert_eq!(
        record().values(&format!("crm://{}/1", "a".repeat(3_000))),
        None
    );
}

#[test]
fn what_is_no_template_is_refused() {
    for text in [
        "",
        "crm",
        "crm://",
        "crm://{object",
        "crm://{object}x/{id}",
        "crm://{object}/{object}",
        "crm://{+object}",
        "crm://{a,b}",
        "crm://a b",
        "crm://a%20b",
        "crm://../a",
        "crm://a//b",
        "Crm://a",
        "://a",
        "crm://a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q",
    ] {
        assert!(UriTemplate::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_literal_goes_before_a_variable() {
    let [one, other] =
        ["crm://files/{id}", "crm://{object}/{id}"].map(|text| UriTemplate::parse(text).unwrap());
    assert!(one.rank() < other.rank());
    assert!(!one.is_same_as(&other));
    assert!(other.is_same_as(&UriTemplate::parse("crm://{a}/{b}").unwrap()));
    assert!(!other.is_same_as(&UriTemplate::parse("erp://{a}/{b}").unwrap()));
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(object in "\\PC{1,40}", id in ".{1,40}") {
        let values = BTreeMap::from([("object".to_owned(), object), ("id".to_owned(), id)]);
        if let Some(uri) = record().uri(&values) {
            prop_assert_eq!(record().values(&uri), Some(values));
        }
    }

    #[test]
    fn whatever_is_read_is_written_as_an_address_that_means_the_same(uri in "crm://[a-zA-Z0-9%./?#é ]{0,30}") {
        if let Some(values) = record().values(&uri) {
            let again = record().uri(&values).unwrap();
            prop_assert_eq!(record().values(&again), Some(values));
        }
    }
}
