//! Statements as people write them, and the mistakes they make. `§` marks where an error must point.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

use soql::*;

const VALID: &[&str] = &[
    "SELECT Id FROM Account",
    "select id from account",
    "SELECT Id, Name FROM Account WHERE Name = 'Sandy'",
    "SELECT Id FROM Group",
    "SELECT Group.Name FROM GroupMember WHERE Group.Type = 'Queue'",
    "SELECT COUNT() FROM Contact",
    "SELECT COUNT() FROM Contact c, c.Account a WHERE a.name = 'MyriadPubs'",
    "SELECT COUNT(Id) total, MAX(Amount), Name n FROM Opportunity GROUP BY Name",
    "SELECT COUNT_DISTINCT(Company) FROM Lead",
    "SELECT FIELDS(ALL) FROM Account LIMIT 200",
    "SELECT Name, FIELDS(CUSTOM), FIELDS(STANDARD) FROM Account",
    "SELECT Name, (SELECT LastName FROM Contacts) FROM Account",
    "SELECT Name, (SELECT LastName FROM Account.Contacts WHERE LastName LIKE 'A%' LIMIT 2) FROM Account",
    "SELECT TYPEOF What WHEN Account THEN Phone, NumberOfEmployees WHEN Opportunity THEN Amount ELSE Name, Email END FROM Event",
    "SELECT TYPEOF Owner WHEN User THEN Id END, Subject FROM Task",
    "SELECT Company, toLabel(Status) FROM Lead WHERE toLabel(Status) = 'le Draft'",
    "SELECT FORMAT(MIN(closedate)) Amt FROM opportunity",
    "SELECT FORMAT(convertCurrency(amount)) convertedCurrency FROM Opportunity",
    "SELECT DISTANCE(Location__c, GEOLOCATION(37.775,-122.418), 'mi') FROM Warehouse__c",
    "SELECT Id FROM W__c WHERE DISTANCE(Loc__c, GEOLOCATION(37,122), 'mi') < 20 ORDER BY DISTANCE(Loc__c, GEOLOCATION(37,122), 'mi') DESC",
    "SELECT HOUR_IN_DAY(convertTimezone(CreatedDate)), SUM(Amount) FROM Opportunity GROUP BY HOUR_IN_DAY(convertTimezone(CreatedDate))",
    "SELECT Id FROM Account USING SCOPE mine",
    "SELECT Id FROM Account a WHERE a.Name != null",
    "SELECT Id FROM Account AS a",
    "SELECT Id FROM A WHERE X <> 1",
    "SELECT Id FROM A WHERE X < 1 AND X <= 1.5 AND X > -2 AND X >= .5",
    "SELECT Id FROM A WHERE Name LIKE '50\\%\\_%'",
    "SELECT Id FROM A WHERE Name = 'O\\'Hara \\u00e9 \\n'",
    "SELECT Id FROM A WHERE S IN ('a', 'b')",
    "SELECT Id FROM A WHERE S NOT IN ('a')",
    "SELECT Id FROM A WHERE M INCLUDES ('AAA;BBB', 'CCC')",
    "SELECT Id FROM A WHERE M EXCLUDES ('AAA')",
    "SELECT Id FROM A WHERE (X = 1 OR Y = 2) AND Z = 3",
    "SELECT Id FROM A WHERE NOT X = 1",
    "SELECT Id FROM A WHERE (NOT X = 1) AND NOT (Y = 2)",
    "SELECT Id FROM A WHERE ((X = TRUE))",
    "SELECT Id FROM A WHERE X = false",
    "SELECT Id FROM A WHERE Amount > USD5000",
    "SELECT Id FROM A WHERE Amount > EUR5000.25",
    "SELECT Id FROM A WHERE D = 2024-02-29",
    "SELECT Id FROM A WHERE D > 2005-10-08T01:02:03Z",
    "SELECT Id FROM A WHERE D > 2005-10-08T01:02:03.123+01:00",
    "SELECT Id FROM A WHERE D > 2005-10-08T01:02:03-0800",
    "SELECT Id FROM A WHERE D = TODAY",
    "SELECT Id FROM A WHERE D = last_n_days:30",
    "SELECT Id FROM A WHERE D > N_FISCAL_QUARTERS_AGO:3",
    "SELECT Id FROM A WHERE D = LAST_90_DAYS OR D = THIS_FISCAL_YEAR OR D = NEXT_N_WEEKS:2",
    "SELECT Id FROM A WHERE CALENDAR_YEAR(CreatedDate) = 2020",
    "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Lost')",
    "SELECT Id FROM Account WHERE Id NOT IN (SELECT AccountId FROM Opportunity)",
    "SELECT Id FROM A WITH SECURITY_ENFORCED",
    "SELECT Id FROM A WITH USER_MODE LIMIT 1",
    "SELECT Id FROM A WITH SYSTEM_MODE",
    "SELECT Title FROM K WHERE X = 1 WITH DATA CATEGORY Geo__c ABOVE usa__c AND P__c AT (a__c, b__c)",
    "SELECT Title FROM Q WITH DATA CATEGORY Geo__c ABOVE_OR_BELOW usa__c",
    "SELECT Id FROM A WITH RecordVisibilityContext (maxDescriptorPerRecord=100, supportsDomains=true)",
    "SELECT S, GROUPING(S), COUNT(Id) FROM Lead GROUP BY ROLLUP(S, Rating)",
    "SELECT T, COUNT(Id) FROM Account GROUP BY CUBE(T, B) HAVING COUNT(Id) > 1 ORDER BY GROUPING(T)",
    "SELECT Id FROM A ORDER BY Name DESC NULLS LAST, Id ASC NULLS FIRST, X",
    "SELECT Id FROM A LIMIT 10 OFFSET 20",
    "SELECT Id FROM A ORDER BY Name LIMIT 1 FOR VIEW",
    "SELECT Id FROM A FOR REFERENCE",
    "SELECT Id FROM A LIMIT 2 FOR UPDATE",
    "SELECT Title FROM FAQ__kav UPDATE VIEWSTAT",
    "SELECT Title FROM FAQ__kav FOR VIEW UPDATE TRACKING",
    "SELECT Id FROM A WHERE IsDeleted = TRUE ALL ROWS",
];

const VALID_SEARCHES: &[&str] = &[
    "FIND {MyProspect}",
    "FIND {\"Joe Smith\" OR Jo*} IN NAME FIELDS",
    "FIND {1\\{2\\}} IN ALL FIELDS RETURNING Account, Contact(Id, Name n WHERE X = 1 ORDER BY Name LIMIT 3 OFFSET 1), Lead",
    "FIND {a} IN EMAIL FIELDS RETURNING Account(Id USING ListView = Recent) LIMIT 5",
    "FIND {a} IN PHONE FIELDS RETURNING Lead(toLabel(Status)) WITH DIVISION = 'Global'",
    "FIND {a} IN SIDEBAR FIELDS WITH HIGHLIGHT WITH SNIPPET (target_length=120)",
    "FIND {a} WITH NETWORK IN ('1', '2') WITH SPELL_CORRECTION = false",
    "FIND {a} RETURNING Product2 WITH PricebookId = '01s' WITH METADATA = 'LABELS'",
    "FIND {a} RETURNING K WITH DATA CATEGORY Geo__c AT usa__c LIMIT 2 UPDATE TRACKING, VIEWSTAT",
];

const INVALID: &[&str] = &[
    "§",
    "§UPDATE Account",
    "SELECT §FROM Account",
    "SELECT Id, §FROM Account",
    "SELECT Id §FORM Account",
    "SELECT Id x §y FROM A",
    "SELECT Id FROM §",
    "SELECT Id FROM §WHERE X = 1",
    "SELECT Id FROM A WHERE §",
    "SELECT Id FROM A a §WHRE X = 1",
    "SELECT Id FROM A §LIMT 5",
    "SELECT Id FROM A WHERE X §1",
    "SELECT Id FROM A WHERE X = §",
    "SELECT Id FROM A WHERE X = §abc",
    "SELECT Id FROM A WHERE X = §\"abc\"",
    "SELECT Id FROM A WHERE X = §'abc",
    "SELECT Id FROM A WHERE X = §'a\\qb'",
    "SELECT Id FROM A WHERE X = §'a\\u12'",
    "SELECT Id FROM A WHERE X = §:name",
    "SELECT Id FROM A WHERE X IN §:names",
    "SELECT Id FROM A WHERE X IN (§)",
    "SELECT Id FROM A WHERE X IN ('a'§",
    "SELECT Id FROM A WHERE X NOT §LIKE 'a'",
    "SELECT Id FROM A WHERE X LIKE §1",
    "SELECT Id FROM A WHERE X = 1 AND Y = 2 §OR Z = 3",
    "SELECT Id FROM A WHERE X = 1 OR Y = 2 §AND Z = 3",
    "SELECT Id FROM A WHERE (X = 1§",
    "SELECT Id FROM A WHERE X = 1§)",
    "SELECT Id FROM A WHERE D = §2023-02-29",
    "SELECT Id FROM A WHERE D = §2023-01-01T25:00:00Z",
    "SELECT Id FROM A WHERE D = §2023-01-01T10:00:00",
    "SELECT Id FROM A WHERE D = LAST_N_DAYS§",
    "SELECT Id FROM A WHERE D = LAST_N_DAYS:§x",
    "SELECT Id FROM A WHERE D = §THIS_DAY",
    "SELECT Id FROM A LIMIT §-1",
    "SELECT Id FROM A LIMIT 1 §WHERE X = 1",
    "SELECT Id FROM A ORDER §Name",
    "SELECT Id FROM A ORDER BY Name NULLS §MIDDLE",
    "SELECT Id FROM A§;",
    "SELECT FIELDS(§SOME) FROM A",
    "SELECT §* FROM A",
    "SELECT TYPEOF What WHEN Account THEN Phone §FROM Event",
    "SELECT (SELECT Id FROM Contacts§",
    "SELECT Id FROM A WITH §MAGIC",
    "SELECT Id FROM A FOR §EVER",
    "SELECT Id\nFROM A\nWHERE §é",
];

const INVALID_SEARCHES: &[&str] = &[
    "FIND §Acme",
    "FIND §{Acme",
    "FIND §{ }",
    "FIND {a} IN §SOME FIELDS",
    "FIND {a} RETURNING §",
    "FIND {a} RETURNING A(§)",
    "FIND {a} WITH §MAGIC",
    "FIND {a} RETURNING A(§(SELECT Id FROM B))",
];

#[test]
fn valid_statements_parse_and_print_stably() {
    for text in VALID {
        let query =
            parse_query(text).unwrap_or_else(|error| panic!("{error}\n{}", error.excerpt(text)));
        assert_eq!(
            parse_query(&query.to_string()).as_ref(),
            Ok(&query),
            "{text}"
        );
    }
    for text in VALID_SEARCHES {
        let search =
            parse_search(text).unwrap_or_else(|error| panic!("{error}\n{}", error.excerpt(text)));
        assert_eq!(
            parse_search(&search.to_string()).as_ref(),
            Ok(&search),
            "{text}"
        );
    }
}

#[test]
fn mistakes_are_pointed_at() {
    let check = |marked: &str, error: fn(&str) -> Option<ParseError>| {
        let text = marked.replacen('§', "", 1);
        let error = error(&text).unwrap_or_else(|| panic!("parsed: {text}"));
        assert_eq!(
            Some(error.position.offset),
            marked.find('§'),
            "{error}\n{}",
            error.excerpt(&text)
        );
    };
    INVALID
        .iter()
        .for_each(|text| check(text, |text| parse_query(text).err()));
    INVALID_SEARCHES
        .iter()
        .for_each(|text| check(text, |text| parse_search(text).err()));
}

#[test]
fn an_error_reads_well() {
    let text = "SELECT Id, Name\nFORM Account";
    let error = parse_query(text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unexpected token: `FORM` at line 2, column 1: expected `FROM`"
    );
    assert_eq!(error.excerpt(text), "FORM Account\n^");
    assert_eq!(
        parse_query("SELECT Id FROM A LIMT 5")
            .unwrap_err()
            .to_string(),
        "unexpected token: `LIMT` at line 1, column 18: expected the end (did you mean `LIMIT`?)"
    );
}

#[test]
fn accesses_and_writes_reach_into_subqueries() {
    let query = parse_query(
        "SELECT Name, (SELECT Id FROM Contacts FOR VIEW) FROM Account \
         WHERE Id NOT IN (SELECT AccountId FROM Opportunity WHERE Amount > 1) ORDER BY Owner.Name",
    )
    .unwrap();
    assert_eq!(query.writes(), Some("FOR VIEW"));
    let accesses = query.accesses();
    let names: Vec<String> = accesses
        .iter()
        .map(|access| {
            let fields: Vec<String> = access
                .fields
                .iter()
                .map(|field| field.path.to_string())
                .collect();
            format!("{}: {}", access.from[0].path[0], fields.join(" "))
        })
        .collect();
    assert_eq!(
        names,
        [
            "Account: Name Id Owner.Name",
            "Contacts: Id",
            "Opportunity: AccountId Amount"
        ]
    );
    assert_eq!(accesses[1].relation, Relation::Child);
    assert!(matches!(
        accesses[2].relation,
        Relation::SemiJoin { negated: true, .. }
    ));
    assert_eq!((accesses[0].outer, accesses[2].outer), (None, Some(0)));
}

#[test]
fn like_tells_escaped_wildcards_apart() {
    let literal = |text: &str| match parse_query(text).unwrap().condition {
        Some(Condition::Comparison {
            value: Value::String(literal),
            ..
        }) => literal,
        other => panic!("{other:?}"),
    };
    let pattern = literal("SELECT Id FROM A WHERE N LIKE 'a\\_%'");
    assert_eq!(
        pattern.pattern(),
        [
            PatternPart::Char('a'),
            PatternPart::Char('_'),
            PatternPart::AnyRun
        ]
    );
    assert_eq!(
        literal("SELECT Id FROM A WHERE N = 'O\\'H\\u00e9'").text(),
        "O'Hé"
    );
}
