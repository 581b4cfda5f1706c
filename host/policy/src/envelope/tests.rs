#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;

const URN: &str = "urn:partner.soap.example.com";
const STAND_IN: &str = "portcullis-0123456789abcdef0123456789abcdef";
const XML: [(&str, &[u8]); 2] = [
    ("content-type", b"text/xml; charset=UTF-8"),
    ("soapaction", b"\"\""),
];

fn place() -> XmlPlace {
    XmlPlace::try_from("Envelope/Header/SessionHeader/sessionId".to_owned()).unwrap()
}

/// A message that restores a record.
fn message() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"{SOAP}\"><s:Header><SessionHeader xmlns=\"{URN}\"><sessionId>{STAND_IN}</sessionId></SessionHeader></s:Header><s:Body><undelete xmlns=\"{URN}\"><ids>001A</ids></undelete></s:Body></s:Envelope>"
    )
}

/// Reads a message and finds the token's place.
fn read(text: &str) -> Result<(String, Range<usize>), EnvelopeError> {
    let envelope = Envelope::read(XML.into_iter(), text.as_bytes())?;
    let at = envelope.token_at(&place(), STAND_IN, text.as_bytes())?;
    Ok((envelope.operation().to_string(), at))
}

#[test]
fn a_message_says_its_operation_and_where_the_token_goes() {
    let text = message();
    let (operation, at) = read(&text).unwrap();
    assert_eq!(operation, format!("{{{URN}}}undelete"));
    assert_eq!(&text[at], STAND_IN);
    // Written with other prefixes, and with space between, it is the same.
    let spaced = text
        .replace("><s:", ">\n  <s:")
        .replace(
            &format!("<undelete xmlns=\"{URN}\">"),
            &format!("<p:undelete xmlns:p=\"{URN}\">"),
        )
        .replace(
            "<ids>001A</ids></undelete>",
            "<p:ids>001A</p:ids></p:undelete>",
        );
    let (same, at) = read(&spaced).unwrap();
    assert_eq!(same, operation);
    assert_eq!(&spaced[at], STAND_IN);
}

/// A message in which something is another.
fn with(from: &str, to: &str) -> String {
    let text = message();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn what_could_be_read_as_another_operation_is_refused() {
    let merge = format!("<merge xmlns=\"{URN}\"><request/></merge>");
    let body = "<s:Body>";
    let ids = "<ids>001A</ids>";
    let attacks = [
        // Two operations, in either order, and in a second body.
        with(body, &format!("{body}{merge}")),
        with("</s:Body>", &format!("{merge}</s:Body>")),
        with("</s:Body>", &format!("</s:Body><s:Body>{merge}</s:Body>")),
        with("<s:Header>", &format!("<s:Body>{merge}</s:Body><s:Header>")),
        with("</s:Body>", &format!("</s:Body><s:body>{merge}</s:body>")),
        // None, or one that stands elsewhere.
        with(&format!("<undelete xmlns=\"{URN}\">{ids}</undelete>"), ""),
        with("</s:Envelope>", &format!("{merge}</s:Envelope>")),
        with(
            &format!("<undelete xmlns=\"{URN}\">{ids}</undelete>"),
            "undelete",
        ),
        format!("{}{merge}", message()),
        with(
            "<s:Header>",
            &format!("<s:Header>{merge}</s:Header><s:Header>"),
        ),
        // In a namespace that is not the service's, or none; a frame that is not SOAP's.
        with(SOAP, "http://www.w3.org/2003/05/soap-envelope"),
        with("<s:Body>", "<Body>").replace("</s:Body>", "</Body>"),
        with("<s:Body>", &format!("<b:Body xmlns:b=\"{URN}\">")).replace("</s:Body>", "</b:Body>"),
        with(&format!("<undelete xmlns=\"{URN}\">"), "<undelete>"),
        with(&format!("<undelete xmlns=\"{URN}\">"), "<s:undelete>")
            .replace("</undelete>", "</s:undelete>"),
        with(ids, "<ids xmlns=\"urn:other\">001A</ids>"),
        with(ids, "<ids xmlns=\"\">001A</ids>"),
        with(
            &format!("<SessionHeader xmlns=\"{URN}\">"),
            "<SessionHeader xmlns=\"urn:other\">",
        ),
        // What only some readers see.
        with(ids, &format!("<!-- {ids} -->{ids}")),
        with(body, &format!("<!-- --><!---->{body}")),
        with("001A", "<![CDATA[001B]]>"),
        with(ids, "<?php x?><ids>001A</ids>"),
        with(
            "?><s:Envelope",
            "?><!DOCTYPE x [<!ENTITY e \"001B\">]><s:Envelope",
        ),
        with("001A", "&e;"),
        with("001A", "&nbsp;"),
        with("UTF-8", "UTF-16"),
        with("UTF-8", "UTF-7"),
        with("UTF-8", "ISO-8859-1"),
        with("version=\"1.0\"", "version=\"1.1\""),
        with("<?xml", " <?xml"),
        with("<s:Envelope", "\u{feff}<s:Envelope"),
        // Attributes that change what a message is.
        with("<s:Body>", "<s:Body s:encodingStyle=\"x\">"),
        with("<s:Header>", "<s:Header id=\"x\">"),
        with(
            &format!("<SessionHeader xmlns=\"{URN}\">"),
            &format!("<SessionHeader xmlns=\"{URN}\" s:actor=\"x\">"),
        ),
        with("<ids>", "<ids href=\"#x\">"),
        with("<ids>", "<ids type=\"x\">"),
        // Not closed, not bound, or nothing.
        with("</s:Envelope>", ""),
        with("xmlns:s=", "xmlns:t="),
        message()[1..].to_owned(),
        String::new(),
    ];
    for attack in attacks {
        let found = Envelope::read(XML.into_iter(), attack.as_bytes());
        assert!(found.is_err(), "{attack}: {found:?}");
    }
    let mut bytes = message().into_bytes();
    bytes[200] = 0xff;
    assert!(Envelope::read(XML.into_iter(), &bytes).is_err());
    let utf_16: Vec<u8> = message()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(Envelope::read(XML.into_iter(), &utf_16).is_err());
}

#[test]
fn headers_that_say_otherwise_are_refused() {
    let read = |headers: &[(&'static str, &'static [u8])]| {
        let headers = headers.to_vec();
        Envelope::read(headers.into_iter(), message().as_bytes()).map(|_| ())
    };
    for action in [&b""[..], b"\"\"", b"undelete", b"\"undelete\""] {
        read(&[("Content-Type", b"text/xml"), ("SOAPAction", action)]).unwrap();
    }
    for action in [
        &b"merge"[..],
        b"\"merge\"",
        b"undelete ",
        b"UNDELETE",
        b"urn:x#undelete",
        b"\xff",
    ] {
        let found = read(&[("content-type", b"text/xml"), ("soapaction", action)]);
        assert!(matches!(found, Err(EnvelopeError::Action(_))), "{found:?}");
    }
    let twice: [(&str, &[u8]); 3] = [
        ("content-type", b"text/xml"),
        ("soapaction", b"undelete"),
        ("SOAPAction", b"undelete"),
    ];
    assert!(read(&twice).is_err());
    for kind in [
        &b"text/plain"[..],
        b"application/soap+xml",
        b"application/json",
        b"text/xml; charset=utf-16",
        b"text/xml; charset=iso-8859-1",
        b"text/xml; charset=utf-8; charset=utf-7",
        b"text/xml; action=merge",
        b"multipart/related; type=\"text/xml\"",
        b"",
    ] {
        let found = read(&[("content-type", kind)]);
        assert_eq!(found, Err(EnvelopeError::NotXml), "{kind:?}");
    }
    assert_eq!(read(&[]), Err(EnvelopeError::NotXml));
    assert!(read(&[("content-type", b"text/xml"), ("content-type", b"text/xml")]).is_err());
    assert!(read(&[("content-type", b"text/xml"), ("content-encoding", b"gzip")]).is_err());
}

#[test]
fn the_token_has_one_place() {
    let encoded: String = STAND_IN
        .chars()
        .map(|char| format!("&#{};", u32::from(char)))
        .collect();
    let half = format!(
        "&#{};{}",
        u32::from(STAND_IN.chars().next().unwrap()),
        &STAND_IN[1..]
    );
    let session = format!("<sessionId>{STAND_IN}</sessionId>");
    let attacks = [
        // A second one, where the service stores it or sends it on.
        with("001A", STAND_IN),
        with("001A", &format!("001A{STAND_IN}")),
        with("001A", &encoded),
        with("<ids>", &format!("<n xmlns:x=\"{STAND_IN}\"/><ids>")),
        with(&session, &format!("{session}{session}")),
        with(
            &session,
            &format!("<sessionId>{STAND_IN}{STAND_IN}</sessionId>"),
        ),
        // Not at its place, or in another way.
        with(STAND_IN, ""),
        with(STAND_IN, "x"),
        with(STAND_IN, &format!(" {STAND_IN}")),
        with(STAND_IN, &encoded),
        with(STAND_IN, &half),
        with(&session, &format!("<sessionid>{STAND_IN}</sessionid>")),
        with(
            &session,
            &format!("<sessionId><x>{STAND_IN}</x></sessionId>"),
        ),
        with(
            &session,
            &format!("<x/>{}", session.replace("sessionId", "session")),
        ),
        with("SessionHeader", "Session").replacen("SessionHeader", "Session", 1),
        // The place as another reader counts it, with the right one beside it.
        with(&session, &format!("<sessionId>x</sessionId>{session}")),
        with(&session, &format!("<sessionid>x</sessionid>{session}")),
        // Hidden where no value is looked for, and written at its place so that it is not found there.
        with(
            &session,
            &format!("<sessionId xmlns:x=\"{STAND_IN}\">{encoded}</sessionId>"),
        ),
    ];
    for attack in attacks {
        let found = read(&attack);
        assert!(found.is_err(), "{attack}: {found:?}");
    }
}

#[test]
fn names_are_what_they_say() {
    for good in ["{urn:x}merge", "{http://x/y}_a-b.c"] {
        assert_eq!(
            Operation::try_from(good.to_owned()).unwrap().to_string(),
            good
        );
    }
    let of_soap = format!("{{{SOAP}}}Fault");
    for bad in [
        "",
        "merge",
        "{}merge",
        "{urn:x}",
        "{urn:x}a b",
        "{urn:x}1",
        "{u{n}x",
        "urn:x}merge",
        &of_soap,
    ] {
        assert!(Operation::try_from(bad.to_owned()).is_err(), "{bad}");
    }
    for bad in ["", "Envelope", "/a/b", "a//b", "a/b[1]", "a/@b", "a/b/"] {
        assert!(XmlPlace::try_from(bad.to_owned()).is_err(), "{bad}");
    }
    let place = XmlPlace::try_from("a/ids".to_owned()).unwrap();
    for (at, index) in [
        ("a/ids", Some(0)),
        ("a/ids[1]", Some(1)),
        ("a/ids[0]", None),
        ("a/ids[x]", None),
        ("a/idsx", None),
        ("a/ids/x", None),
        ("b/ids", None),
    ] {
        assert_eq!(place.index_of(at), index, "{at}");
    }
}

proptest! {
    #[test]
    fn no_message_breaks_it(body in "[<>/a-cs:\"'&;= !?\\[\\]-]{0,60}") {
        let _ = Envelope::read(XML.into_iter(), body.as_bytes());
        let _ = Envelope::read(XML.into_iter(), with("<ids>001A</ids>", &body).as_bytes());
    }

    /// Whatever else is in the body, a message that is read has its one operation and its one token.
    #[test]
    fn what_is_read_has_one_operation(inner in "(<(s:)?(Body|undelete|merge)>|</(s:)?(Body|undelete|merge)>|portcullis|x| ){0,8}") {
        let text = with("<ids>001A</ids>", &inner);
        if let Ok((operation, at)) = read(&text) {
            prop_assert_eq!(operation, format!("{{{URN}}}undelete"));
            prop_assert_eq!(&text[at], STAND_IN);
            prop_assert_eq!(text.matches("s:Body>").count(), 2);
        }
    }
}
