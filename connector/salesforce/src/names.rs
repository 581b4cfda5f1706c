//! Names and ids of Salesforce, checked before they cost a request.

use portcullis_sdk::Failure;

/// Checks an object's or field's API name: letters, digits and underscores, a letter first, at most 80
/// characters.
///
/// # Errors
/// `invalid-argument` at `pointer`.
pub fn api_name<'a>(name: &'a str, pointer: &str) -> Result<&'a str, Failure> {
    let name = name.trim();
    let fits = name.len() <= 80
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits {
        return Ok(name);
    }
    let shown = crate::fence::inline(name, 80);
    Err(Failure::invalid(format!("`{shown}` is not an API name"))
        .field(
            pointer,
            "letters, digits and `_`, such as `Account` or `Region__c`",
        )
        .hint("list_objects finds an object's API name by its label, describe_object a field's"))
}

/// Checks a record's id: 15 or 18 letters and digits.
///
/// # Errors
/// `invalid-argument` at `/id`.
pub fn record_id(id: &str) -> Result<&str, Failure> {
    let id = id.trim();
    if matches!(id.len(), 15 | 18) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(id);
    }
    let shown = crate::fence::inline(id, 40);
    Err(Failure::invalid(format!(
        "`{shown}` is not a record id: these have 15 or 18 letters and digits"
    ))
    .field(
        "/id",
        "15 or 18 letters and digits, such as `001xx000003DGb2AAG`",
    )
    .hint("query finds a record's id by its name"))
}

/// Gives the form of 18 characters of an id of 15: three more, each for a group of five, bit j of which is set where
/// character j is upper case. Anything else stays as it is.
pub fn long_id(id: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let mut long = id.to_owned();
    if id.len() == 15 && id.is_ascii() {
        for group in id.as_bytes().chunks(5) {
            let bits = group.iter().rev().fold(0, |bits, byte| {
                bits << 1 | usize::from(byte.is_ascii_uppercase())
            });
            long.push(char::from(DIGITS[bits]));
        }
    }
    long
}

/// Gives the object whose ids begin so, of those that are the same in every org.
pub fn object_of(id: &str) -> Option<&'static str> {
    const PREFIXES: [(&str, &str); 29] = [
        ("001", "Account"),
        ("003", "Contact"),
        ("005", "User"),
        ("006", "Opportunity"),
        ("00D", "Organization"),
        ("00G", "Group"),
        ("00P", "Attachment"),
        ("00Q", "Lead"),
        ("00T", "Task"),
        ("00U", "Event"),
        ("00e", "Profile"),
        ("00k", "OpportunityLineItem"),
        ("00v", "CampaignMember"),
        ("012", "RecordType"),
        ("015", "Document"),
        ("01s", "Pricebook2"),
        ("01t", "Product2"),
        ("01u", "PricebookEntry"),
        ("02i", "Asset"),
        ("068", "ContentVersion"),
        ("069", "ContentDocument"),
        ("06A", "ContentDocumentLink"),
        ("0Q0", "Quote"),
        ("500", "Case"),
        ("501", "Solution"),
        ("701", "Campaign"),
        ("800", "Contract"),
        ("801", "Order"),
        ("802", "OrderItem"),
    ];
    let prefix = id.get(..3)?;
    let mut known = PREFIXES.iter();
    known.find_map(|(known, object)| (*known == prefix).then_some(*object))
}

/// Gives the field that people know records of an object by, where its describe is not at hand.
pub fn name_field_of(kind: &str) -> &'static str {
    match kind {
        "Case" => "CaseNumber",
        "Contract" => "ContractNumber",
        "Order" => "OrderNumber",
        "Solution" => "SolutionName",
        "Task" | "Event" => "Subject",
        "ContentDocument" | "ContentVersion" => "Title",
        _ => "Name",
    }
}

/// Gives the address of a record in Lightning. `id` has been answered by the service.
pub fn record_url(origin: &str, kind: &str, id: &str) -> String {
    [origin, "/lightning/r/", kind, "/", id, "/view"].concat()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["Account", "Region__c", "ns__Thing__c", " Contact "] {
            assert_eq!(api_name(good, "/object").unwrap(), good.trim());
        }
        for bad in [
            "",
            "1a",
            "_a",
            "a-b",
            "a/b",
            "..",
            "Account?x",
            "a b",
            &"a".repeat(81),
        ] {
            let failure = api_name(bad, "/object").unwrap_err();
            assert_eq!(failure.fields[0].pointer, "/object", "{bad}");
        }
    }

    #[test]
    fn ids_of_15_characters_have_a_long_form() {
        for (short, long) in [
            ("001DO0000000001", "001DO0000000001YAA"),
            ("001xx000003DGb2", "001xx000003DGb2AAG"),
            ("003", "003"),
        ] {
            assert_eq!(long_id(short), long);
            assert_eq!(long_id(long), long);
        }
    }

    #[test]
    fn ids_have_15_or_18_characters() {
        assert_eq!(
            record_id(" 001xx000003DGb2AAG ").unwrap(),
            "001xx000003DGb2AAG"
        );
        for bad in [
            "",
            "describe",
            "001xx000003DGb2AA",
            "001xx000003DG/2AAG",
            "001xx000003DGb2AAG0",
        ] {
            assert_eq!(
                record_id(bad).unwrap_err().fields[0].pointer,
                "/id",
                "{bad}"
            );
        }
    }
}
