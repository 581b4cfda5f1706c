//! Which currency the amounts of an answer are in, in an org with several.

use soql::{Query, SelectItem};

use crate::client::{CURRENCY_FACT, Client};

/// The field that says a record's currency, in such an org.
const CODE: &str = "CurrencyIsoCode";

/// Says that amounts are in each record's own currency, where fields of an object have some and not its code. It costs a
/// describe, and in an org with several currencies alone.
pub fn note(client: &Client<'_>, kind: &str, fields: &[&str]) -> Option<String> {
    client.fact(CURRENCY_FACT)?;
    if fields.is_empty() || fields.iter().any(|name| name.eq_ignore_ascii_case(CODE)) {
        return None;
    }
    let describe = client.describe(kind).ok()?;
    describe.field(CODE)?;
    let is_amount = |name: &&str| {
        let field = describe.field(name);
        field.is_some_and(|field| field.kind() == "currency")
    };
    let is_seen = !client.visible_fields(kind, &[CODE.to_owned()]).is_empty();
    (is_seen && fields.iter().any(is_amount))
        .then(|| format!("amounts are in each record's own currency: ask for `{CODE}`, too"))
}

/// Gives the fields of its own object that a query shows as they are.
pub fn shown(query: &Query) -> Vec<&str> {
    let items = query.select.iter();
    items
        .filter_map(|item| match item {
            SelectItem::Field { path, .. } => match path.parts.as_slice() {
                [own] => Some(own.name.as_str()),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ACCOUNT, Org};

    #[test]
    fn amounts_without_their_code_say_so_where_there_are_several_currencies() {
        let code =
            r#"{"name":"CurrencyIsoCode","label":"Currency","type":"picklist","referenceTo":[]},"#;
        let describe = ACCOUNT.replacen("\"fields\":[", &format!("\"fields\":[{code}"), 1);
        let path = "/services/data/v68.0/sobjects/Account/describe";
        let several = |org: Org| org.fact(CURRENCY_FACT, "EUR").answer(path, 200, &describe);
        let said =
            |org: &Org, fields: &[&str]| note(&Client::new(org), "Account", fields).is_some();

        let org = several(Org::without_answers());
        assert!(said(&org, &["Id", "annualrevenue"]));
        assert!(!said(&org, &["Id", "Name"]));
        assert!(!said(&org, &["AnnualRevenue", "currencyisocode"]));
        assert!(!said(&org, &[]));
        // What is hidden from the agent is not named.
        let org = several(Org::without_answers()).hide("Account", CODE);
        assert!(!said(&org, &["AnnualRevenue"]));
        // One currency: nothing is asked.
        let org = Org::new();
        assert!(!said(&org, &["AnnualRevenue"]));
        assert!(org.requests().is_empty());
    }
}
