//! When two records agree: what is compared of a name, an address, a number.

use super::Value;
use crate::json::Json;
use crate::like::{escaped, literal};

/// Words of a company's name that say what kind of company it is.
const LEGAL: [&str; 21] = [
    "ab",
    "ag",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "gmbh",
    "group",
    "holding",
    "inc",
    "incorporated",
    "kg",
    "limited",
    "llc",
    "llp",
    "ltd",
    "nv",
    "plc",
    "sa",
    "spa",
];

/// Digits at the end of a telephone number that are compared: a country's code before them is written in many ways, or not at
/// all, and so is the zero that stands for it.
const PHONE_DIGITS: usize = 9;
/// Fewer are an extension.
const PHONE_DIGITS_MIN: usize = 7;
/// Digits that are looked for together: people group the last four.
const PHONE_GROUP: usize = 4;

/// The ways in which another record could agree.
pub(super) struct Alike<'v> {
    ways: Vec<Way<'v>>,
}

struct Way<'v> {
    /// The field's name, or both for a person's name.
    name: String,
    condition: String,
    test: Test<'v>,
}

enum Test<'v> {
    Email(&'v str, String),
    Phone(&'v str, String),
    Site(&'v str, String),
    Name(&'v str, String),
    Person { last: String, first: Option<char> },
}

impl<'v> Alike<'v> {
    pub(super) fn of(values: &'v [Value<'_>]) -> Self {
        let mut ways = Vec::new();
        let text = |name: &str| {
            let mut values = values.iter();
            values
                .find(|value| value.field.name() == name)
                .map(|value| value.text.as_str())
        };
        ways.extend(text("LastName").map(|last| person(last, text("FirstName"))));
        for value in values {
            let name = value.field.name();
            let is_part = matches!(
                name,
                "LastName" | "FirstName" | "MiddleName" | "Salutation" | "Suffix"
            );
            let is_whole_of_parts = name == "Name" && text("LastName").is_some();
            if is_part || is_whole_of_parts {
                continue;
            }
            ways.extend(match value.field.kind() {
                "email" => email(name, &value.text),
                "phone" => phone(name, &value.text),
                "url" => site(name, &value.text),
                _ => called(name, &value.text),
            });
        }
        Self { ways }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }

    pub(super) fn conditions(&self) -> Vec<String> {
        self.ways.iter().map(|way| way.condition.clone()).collect()
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.ways.iter().map(|way| way.name.as_str()).collect()
    }

    /// Names the ways in which a record agrees.
    pub(super) fn agrees(&self, record: &Json) -> Vec<&str> {
        let agree = self.ways.iter().filter(|way| way.test.holds(record));
        agree.map(|way| way.name.as_str()).collect()
    }
}

impl Test<'_> {
    fn holds(&self, record: &Json) -> bool {
        let text = |name: &str| record.str_at(name).unwrap_or_default();
        match self {
            Self::Email(name, wanted) => text(name).trim().to_lowercase() == *wanted,
            Self::Phone(name, wanted) => tail(text(name)).as_ref() == Some(wanted),
            Self::Site(name, wanted) => domain(text(name)) == *wanted,
            Self::Name(name, wanted) => core(text(name)) == *wanted,
            Self::Person { last, first } => {
                let other = text("FirstName").chars().next().map(folded);
                let agree = first.zip(other).is_none_or(|(one, other)| one == other);
                text("LastName").to_lowercase() == *last && agree
            }
        }
    }
}

fn folded(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// A person agrees by the last name and, where both have a first one, by how that begins.
fn person<'v>(last: &str, first: Option<&str>) -> Way<'v> {
    Way {
        name: "LastName".to_owned()
            + if first.is_some() {
                " with FirstName"
            } else {
                ""
            },
        condition: match first.and_then(|first| first.chars().next()) {
            Some(initial) => format!(
                "(LastName = {} AND (FirstName = NULL OR FirstName LIKE '{}%'))",
                literal(last),
                escaped(&initial.to_string())
            ),
            None => format!("LastName = {}", literal(last)),
        },
        test: Test::Person {
            last: last.to_lowercase(),
            first: first.and_then(|first| first.chars().next()).map(folded),
        },
    }
}

fn email<'v>(name: &'v str, text: &str) -> Option<Way<'v>> {
    Some(Way {
        name: name.to_owned(),
        condition: format!("{name} = {}", literal(text)),
        test: Test::Email(name, text.to_lowercase()),
    })
}

fn phone<'v>(name: &'v str, text: &str) -> Option<Way<'v>> {
    let tail = tail(text)?;
    let end = tail.len() - PHONE_GROUP;
    Some(Way {
        name: name.to_owned(),
        condition: format!("{name} LIKE '%{}'", &tail[end..]),
        test: Test::Phone(name, tail),
    })
}

fn site<'v>(name: &'v str, text: &str) -> Option<Way<'v>> {
    let domain = domain(text);
    domain.contains('.').then(|| Way {
        name: name.to_owned(),
        condition: format!("{name} LIKE '%{}%'", escaped(&domain)),
        test: Test::Site(name, domain),
    })
}

/// Anything else that is a name: without the words that say what kind of company it is.
fn called<'v>(name: &'v str, text: &str) -> Option<Way<'v>> {
    let core = core(text);
    // The rest may have stops and commas between its words; the first word has not.
    let begins = text
        .split(|c: char| !c.is_alphanumeric())
        .find(|word| !word.is_empty())?;
    (!core.is_empty()).then(|| Way {
        name: name.to_owned(),
        condition: format!("{name} LIKE '{}%'", escaped(begins)),
        test: Test::Name(name, core),
    })
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Gives the digits of a telephone number that are compared.
fn tail(text: &str) -> Option<String> {
    let digits = digits(text);
    let enough = digits.len() >= PHONE_DIGITS_MIN;
    enough.then(|| digits[digits.len().saturating_sub(PHONE_DIGITS)..].to_owned())
}

/// Gives the domain of an address: `acme.example` of `https://www.Acme.example/en?x`.
fn domain(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let rest = text
        .split_once("://")
        .map_or(text.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// Gives a name's words in lower case, without those of its legal form at its end.
fn core(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    while let [_, .., last] = words.as_slice()
        && LEGAL.contains(last)
    {
        words.pop();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_many_ways_is_compared_in_one() {
        assert_eq!(core("Acme, Inc."), "acme");
        assert_eq!(core("ACME Holding GmbH & Co. KG"), "acme");
        assert_eq!(core("Company"), "company");
        assert_eq!(
            domain("https://www.Acme.example:443/en?x=1"),
            "acme.example"
        );
        assert_eq!(domain("acme.example"), "acme.example");
        assert_eq!(digits("+1 (415) 555-0100"), "14155550100");
        assert_eq!(tail("+49 (30) 123 45 67"), tail("030 1234567"));
        assert_eq!(tail("555-0143"), Some("5550143".to_owned()));
        assert_ne!(tail("(497) 555-0143"), tail("(592) 555-0143"));
        assert!(phone("Phone", "123456").is_none());
    }

    #[test]
    fn a_first_name_that_is_missing_agrees_and_another_does_not() {
        let test = Test::Person {
            last: "li".to_owned(),
            first: Some('a'),
        };
        let holds = |json: &str| Json::parse(json).is_ok_and(|record| test.holds(&record));
        assert!(holds(r#"{"LastName":"LI","FirstName":"Anna"}"#));
        assert!(holds(r#"{"LastName":"Li","FirstName":null}"#));
        assert!(!holds(r#"{"LastName":"Li","FirstName":"Ben"}"#));
        assert!(!holds(r#"{"LastName":"Lin","FirstName":"Anna"}"#));
    }
}
