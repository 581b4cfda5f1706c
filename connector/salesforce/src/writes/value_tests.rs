#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::describe::Describe;

const DESCRIBE: &str = r#"{"name":"Thing__c","fields":[
{"name":"T","label":"Text","type":"string","length":5,"nillable":true},
{"name":"R","label":"R","type":"string","length":5,"nillable":false},
{"name":"L","label":"Lines","type":"textarea","length":50,"nillable":true},
{"name":"B","label":"Flag","type":"boolean","nillable":false},
{"name":"I","label":"Count","type":"int","digits":3,"nillable":true},
{"name":"C","label":"Money","type":"currency","precision":5,"scale":2,"nillable":true},
{"name":"P","label":"Percent","type":"percent","precision":3,"scale":0,"nillable":true},
{"name":"D","label":"Day","type":"date","nillable":true},
{"name":"M","label":"Moment","type":"datetime","nillable":true},
{"name":"Z","label":"Opens","type":"time","nillable":true},
{"name":"Spot__c","label":"Spot","type":"location","nillable":true},
{"name":"Spot__Latitude__s","label":"Spot (Latitude)","type":"double","precision":9,"scale":6,"compoundFieldName":"Spot__c","nillable":true},
{"name":"Spot__Longitude__s","label":"Spot (Longitude)","type":"double","precision":9,"scale":6,"compoundFieldName":"Spot__c","nillable":true},
{"name":"E","label":"Code","type":"encryptedstring","length":20,"mask":"*","maskType":"lastFour","nillable":true},
{"name":"A","label":"Address","type":"email","length":40,"nillable":true},
{"name":"F","label":"Owner","type":"reference","referenceTo":["User","Group"],"nillable":true},
{"name":"K","label":"Kind","type":"picklist","nillable":true,"restrictedPicklist":true,"picklistValues":[
 {"value":"Hot","label":"Very hot","active":true},{"value":"Cold","label":"Cold","active":true},{"value":"Old","label":"Old","active":false}]},
{"name":"S","label":"Several","type":"multipicklist","nillable":true,"picklistValues":[
 {"value":"a","label":"a","active":true},{"value":"b","label":"b","active":true}]}]}"#;

fn described() -> Describe {
    Describe::new(Json::parse(DESCRIBE).unwrap())
}

#[test]
fn what_fits_is_sent_as_it_is_stored() {
    let describe = described();
    for (name, given, sent) in [
        ("T", r#"" abc ""#, r#""abc""#),
        ("T", r#""""#, "null"),
        ("T", r#""äöüßé""#, r#""äöüßé""#),
        ("L", r#"" a\nb \n""#, r#"" a\nb""#),
        ("B", "true", "true"),
        ("I", "12.0", "12"),
        ("I", r#""12""#, "12"),
        ("C", "-123.5", "-123.5"),
        ("C", r#""123.45""#, "123.45"),
        ("P", "50", "50"),
        ("D", r#""2026-11-23""#, r#""2026-11-23""#),
        (
            "M",
            r#""2026-11-23T09:00:00+01:00""#,
            r#""2026-11-23T08:00:00.000Z""#,
        ),
        ("Z", r#""09:30""#, r#""09:30:00.000Z""#),
        ("Z", r#""09:30:10.25Z""#, r#""09:30:10.250Z""#),
        ("Spot__Latitude__s", "-90", "-90"),
        ("Spot__Longitude__s", "179.999999", "179.999999"),
        ("E", r#""1234""#, r#""1234""#),
        ("F", r#""005DO0000000001""#, r#""005DO0000000001YAA""#),
        ("F", "null", "null"),
        ("A", r#"" li+x@mail.example ""#, r#""li+x@mail.example""#),
        ("A", r#""""#, "null"),
        ("K", r#""Hot""#, r#""Hot""#),
        ("S", r#"["b","a","b"]"#, r#""b;a""#),
        ("S", r#""a; b""#, r#""a;b""#),
        ("S", "[]", "null"),
    ] {
        let field = describe.field(name).unwrap();
        let read = read(field, &Json::parse(given).unwrap());
        assert_eq!(
            read.map(|value| value.text()),
            Ok(sent.to_owned()),
            "{name} {given}"
        );
    }
}

#[test]
fn what_does_not_fit_is_answered_with_what_would() {
    let describe = described();
    let mut said = String::new();
    for (name, given) in [
        ("T", r#""abcdef""#),
        ("T", "1"),
        ("R", "null"),
        ("B", r#""true""#),
        ("B", "null"),
        ("I", "1.5"),
        ("I", "1000"),
        ("C", "1000"),
        ("C", "1.234"),
        ("C", r#""1,000""#),
        ("P", r#""50%""#),
        ("D", r#""2026-02-30""#),
        ("D", r#""tomorrow""#),
        ("M", r#""2026-11-23T09:00:00""#),
        ("Z", r#""9:30 PM""#),
        ("Z", r#""25:00""#),
        ("Spot__Latitude__s", "90.5"),
        ("Spot__Longitude__s", "-180.5"),
        ("D", r#""11/12/2026""#),
        ("I", r#""1,00""#),
        ("A", r#""Ann""#),
        ("A", r#""ann@mail""#),
        ("A", r#""ann@mail..example""#),
        ("A", r#""a b@mail.example""#),
        ("A", r#""a@mail.example, b@mail.example""#),
        ("A", r#""a@mail.exämple""#),
        ("A", "1"),
        ("A", r#""much-too-long-a-name-for-this-field@mail.example""#),
        ("F", r#""Ann""#),
        ("F", r#""003DO0000000001""#),
        ("K", r#""very hot""#),
        ("K", r#""Old""#),
        ("S", r#"["a","c"]"#),
        ("S", "[1]"),
    ] {
        let field = describe.field(name).unwrap();
        let problem = read(field, &Json::parse(given).unwrap()).unwrap_err();
        said.push_str(&format!("{given}: {problem}\n"));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn values_are_the_same_however_they_are_spelled() {
    let describe = described();
    for (name, one, other, is_same) in [
        ("C", "15000.0", "15000", true),
        ("C", "1", "null", false),
        (
            "M",
            r#""2026-11-23T08:00:00.000+0000""#,
            r#""2026-11-23T09:00:00+01:00""#,
            true,
        ),
        ("F", r#""005DO0000000001""#, r#""005DO0000000001YAA""#, true),
        (
            "F",
            r#""005DO0000000001YAA""#,
            r#""005DO0000000002YAA""#,
            false,
        ),
        ("S", r#""a;b""#, r#""b;a""#, true),
        ("L", r#""a\r\nb""#, r#""a\nb ""#, true),
        ("T", "null", r#""""#, true),
        ("T", r#""A""#, r#""a""#, false),
        ("B", "true", "false", false),
        ("Z", r#""09:30""#, r#""09:30:00.000Z""#, true),
        ("Z", r#""09:30""#, r#""09:30:00.001Z""#, false),
        ("E", r#""1234""#, r#""12345""#, false),
    ] {
        let field = describe.field(name).unwrap();
        let (one, other) = (Json::parse(one).unwrap(), Json::parse(other).unwrap());
        assert_eq!(same(field, &one, &other), is_same, "{name} {one} {other}");
        assert_eq!(same(field, &other, &one), is_same, "{name} {other} {one}");
    }
}
