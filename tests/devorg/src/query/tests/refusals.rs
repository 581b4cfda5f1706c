//! What is refused, with which code, words and place.

use super::*;

#[test]
fn unknown_names_are_refused_in_salesforces_words() {
    let org = org();
    let message = |soql: &str| {
        let error = ask(&org, soql).unwrap_err();
        format!("{}{}", error.code, error.message)
    };
    insta::assert_snapshot!(message("SELECT Nme FROM Account"), @r"
    INVALID_FIELD
    SELECT Nme FROM Account
           ^
    ERROR at Row:1:Column:8
    No such column 'Nme' on entity 'Account'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.
    ");
    insta::assert_snapshot!(message("SELECT Id\nFROM Foo"), @r"
    INVALID_TYPE
    FROM Foo
         ^
    ERROR at Row:2:Column:6
    sObject type 'Foo' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.
    ");
    insta::assert_snapshot!(message("SELECT Id FROM Account WHERE Ownr.Name = 'x'"), @r"
    INVALID_FIELD
    SELECT Id FROM Account WHERE Ownr.Name = 'x'
                                 ^
    ERROR at Row:1:Column:30
    Didn't understand relationship 'Ownr' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.
    ");
    insta::assert_snapshot!(message("SELECT (SELECT Id FROM Contact) FROM Account"), @r"
    INVALID_TYPE
    SELECT (SELECT Id FROM Contact) FROM Account
                           ^
    ERROR at Row:1:Column:24
    Didn't understand relationship 'Contact' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.
    ");
    insta::assert_snapshot!(message("SELECT Id FROM Account WHERE CreatedDate > '2026-01-01'"), @r"
    INVALID_FIELD
    SELECT Id FROM Account WHERE CreatedDate > '2026-01-01'
                                 ^
    ERROR at Row:1:Column:30
    value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes
    ");
    insta::assert_snapshot!(message("SELECT Name, COUNT(Id) FROM Account"), @r"
    MALFORMED_QUERY
    SELECT Name, COUNT(Id) FROM Account
           ^
    ERROR at Row:1:Column:8
    Field must be grouped or aggregated: Name
    ");
}

/// Each query, the code, the column, and the first words of the reason.
#[rustfmt::skip] // A line a refusal.
const REFUSED: &[(&str, &str, usize, &str)] = &[
    ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", 29, "unexpected token: '<EOF>'"),
    ("SELECT Id, Owner.Nme FROM Account", "INVALID_FIELD", 12, "No such column 'Nme' on entity 'User'"),
    ("SELECT Owner.Nme FROM Case", "INVALID_FIELD", 8, "No such column 'Nme' on entity 'Name'"),
    ("SELECT Owner.Manager.Name FROM Case", "INVALID_FIELD", 8, "Didn't understand relationship 'Manager' in field path"),
    ("SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account", "MALFORMED_QUERY", 8, "SOQL relationships can be at most 5"),
    ("SELECT Id, Name, id FROM Account", "INVALID_FIELD", 18, "duplicate field selected: Id"),
    ("SELECT Owner.Name, Owner.Name FROM Account", "INVALID_FIELD", 20, "duplicate field selected: Name"),
    ("SELECT Name n FROM Account", "MALFORMED_QUERY", 13, "only aggregate expressions use field aliasing"),
    ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", 8, "The SOQL FIELDS function must have a LIMIT of at most 200"),
    ("SELECT FIELDS(ALL) FROM Account LIMIT 201", "MALFORMED_QUERY", 8, "The SOQL FIELDS function"),
    ("SELECT FIELDS(STANDARD), Id FROM Account", "INVALID_FIELD", 26, "duplicate field selected: Id"),
    ("SELECT COUNT(), Id FROM Account", "MALFORMED_QUERY", 8, "unexpected token: ','"),
    ("SELECT COUNT() FROM Account GROUP BY Name", "MALFORMED_QUERY", 8, "Grouped query cannot use COUNT()"),
    ("SELECT convertCurrency(AnnualRevenue) FROM Account", "MALFORMED_QUERY", 8, "convertCurrency() is available"),
    ("SELECT DISTANCE(BillingAddress, GEOLOCATION(91, 2), 'km') FROM Account", "MALFORMED_QUERY", 33, "GEOLOCATION() takes a latitude"),
    ("SELECT DISTANCE(BillingAddress, GEOLOCATION(1, 2), 'm') FROM Account", "MALFORMED_QUERY", 8, "The unit of DISTANCE()"),
    ("SELECT DISTANCE(BillingCity, GEOLOCATION(1, 2), 'km') FROM Account", "MALFORMED_QUERY", 8, "field BillingCity does not support function DISTANCE"),
    ("SELECT DISTANCE(BillingAddress, 'km') FROM Account", "MALFORMED_QUERY", 8, "DISTANCE() takes a location field, a location and a unit"),
    ("SELECT Id FROM Account WHERE DISTANCE(BillingAddress, GEOLOCATION(1, 2), 'km') = 5", "INVALID_QUERY_FILTER_OPERATOR", 30, "invalid operator on double field"),
    ("SELECT Id FROM Account WHERE DISTANCE(BillingAddress, GEOLOCATION(1, 2), 'km') < 'x'", "INVALID_FIELD", 30, "value of filter criterion for field 'DISTANCE(BillingAddress)' must be of type double"),
    ("SELECT UPPER(Name) FROM Account", "MALFORMED_QUERY", 8, "unexpected token: 'UPPER'"),
    ("SELECT (SELECT COUNT(Id) FROM Contacts) FROM Account", "MALFORMED_QUERY", 9, "Only root queries support aggregate expressions"),
    ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Account", "MALFORMED_QUERY", 15, "A TYPEOF expression can only"),
    ("SELECT TYPEOF What WHEN Lead THEN Name END FROM Task", "INVALID_TYPE", 25, "sObject type 'Lead' is not supported"),
    ("SELECT Id FROM Account USING SCOPE team2", "INVALID_QUERY_SCOPE", 36, "The scope 'team2' is not supported"),
    ("SELECT Id FROM Account ALL ROWS", "MALFORMED_QUERY", 1, "ALL ROWS not allowed in this context"),
    ("SELECT (SELECT Id FROM Contacts ALL ROWS) FROM Account", "MALFORMED_QUERY", 9, "ALL ROWS not allowed"),
    // Filters.
    ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", 30, "field 'Description' can not be filtered in a query call"),
    ("SELECT Id FROM Account WHERE BillingAddress = 'x'", "INVALID_FIELD", 30, "Address fields can only be filtered"),
    ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", 30, "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes"),
    ("SELECT Id FROM Account WHERE AnnualRevenue = '5'", "INVALID_FIELD", 30, "value of filter criterion for field 'AnnualRevenue' must be of type double and should not be"),
    ("SELECT Id FROM Account WHERE NumberOfEmployees IN ('5')", "INVALID_FIELD", 30, "value of filter criterion for field 'NumberOfEmployees' must be of type int"),
    ("SELECT Id FROM Account WHERE IsPartner = 'true'", "INVALID_FIELD", 30, "value of filter criterion for field 'IsPartner' must be of type boolean"),
    ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", 30, "value of filter criterion for field 'CreatedDate' must be of type dateTime"),
    ("SELECT Id FROM Opportunity WHERE CloseDate > 2026-01-01T00:00:00Z", "INVALID_FIELD", 34, "value of filter criterion for field 'CloseDate' must be of type date and"),
    ("SELECT Id FROM Account WHERE OwnerId = 5", "INVALID_FIELD", 30, "value of filter criterion for field 'OwnerId' must be of type ID and should be"),
    ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", 30, "invalid ID field: abc"),
    ("SELECT Id FROM Account WHERE Id LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", 30, "invalid operator on id field"),
    ("SELECT Id FROM Account WHERE IsPartner > true", "INVALID_QUERY_FILTER_OPERATOR", 30, "invalid operator on boolean field"),
    ("SELECT Id FROM Account WHERE Name INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR", 30, "includes and excludes operators"),
    ("SELECT Id FROM Account WHERE COUNT(Id) > 1", "MALFORMED_QUERY", 30, "unexpected token: 'COUNT'"),
    ("SELECT Id FROM Account WHERE CALENDAR_YEAR(Name) = 1", "MALFORMED_QUERY", 30, "field Name does not support function CALENDAR_YEAR"),
    ("SELECT Id FROM Opportunity WHERE HOUR_IN_DAY(CloseDate) = 1", "MALFORMED_QUERY", 34, "field CloseDate does not support function HOUR_IN_DAY"),
    ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY", 33, "field 'Description' can not be sorted in a query call"),
    // Semi-joins.
    ("SELECT Id FROM Account WHERE Name = 'x' OR Id IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", 51, "Semi join sub-selects are not allowed with the 'OR' operator"),
    ("SELECT Id FROM Account WHERE NOT Id IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", 41, "Semi join sub-selects are only allowed at the top level"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT ContactId FROM Case))", "MALFORMED_QUERY", 80, "Nesting of semi join sub-selects is not supported"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT ParentId FROM Account)", "INVALID_FIELD", 37, "The inner and outer selects should not be on the same object type"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT LastName FROM Contact)", "INVALID_FIELD", 44, "Semi join sub-selects can only query id fields, cannot use: 'LastName'"),
    ("SELECT Id FROM Account WHERE Name IN (SELECT AccountId FROM Contact)", "INVALID_FIELD", 30, "The left operand 'Name' of a semi join must be an id"),
    ("SELECT Id FROM Contact WHERE Account.OwnerId IN (SELECT Id FROM User)", "INVALID_FIELD", 30, "The left operand 'OwnerId' cannot have more than one level"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact LIMIT 1)", "MALFORMED_QUERY", 37, "Semi join sub-selects cannot use LIMIT"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) AND Id IN (SELECT AccountId FROM Case) AND Id IN (SELECT AccountId FROM Opportunity)", "MALFORMED_QUERY", 118, "Maximum 2 semi join sub-selects are allowed"),
    // Groups.
    ("SELECT COUNT(Id) FROM Account HAVING COUNT(Id) > 1", "MALFORMED_QUERY", 1, "unexpected token: 'HAVING'"),
    ("SELECT Id FROM Account ORDER BY COUNT(Id)", "MALFORMED_QUERY", 8, "Field must be grouped or aggregated: Id"),
    ("SELECT COUNT(Id) FROM Account LIMIT 1", "MALFORMED_QUERY", 1, "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"),
    ("SELECT COUNT(Id) FROM Account GROUP BY Description", "MALFORMED_QUERY", 40, "field 'Description' can not be grouped in a query call"),
    ("SELECT Name FROM Account GROUP BY Industry", "MALFORMED_QUERY", 8, "Field must be grouped or aggregated: Name"),
    ("SELECT Industry FROM Account GROUP BY Industry ORDER BY Name", "MALFORMED_QUERY", 57, "Field must be grouped or aggregated: Name"),
    ("SELECT Industry FROM Account GROUP BY Industry HAVING Name = 'x'", "MALFORMED_QUERY", 55, "Field must be grouped or aggregated: Name"),
    ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", 8, "field Name does not support aggregate operator SUM"),
    ("SELECT COUNT(IsPartner) FROM Account", "MALFORMED_QUERY", 8, "field IsPartner does not support aggregate operator COUNT"),
    ("SELECT Name, Account.Name FROM Contact GROUP BY Name, Account.Name", "MALFORMED_QUERY", 14, "duplicate alias: Name"),
    ("SELECT GROUPING(Name) FROM Account GROUP BY Name", "MALFORMED_QUERY", 8, "GROUPING() needs a grouping expression of ROLLUP or CUBE"),
    ("SELECT Name, (SELECT Id FROM Contacts) FROM Account GROUP BY Name", "MALFORMED_QUERY", 15, "Grouped queries cannot select subqueries"),
    ("SELECT COUNT(Id) FROM Account GROUP BY CUBE(Name, Rating, Industry, Site)", "MALFORMED_QUERY", 1, "ROLLUP and CUBE can have at most 3"),
    ("SELECT CALENDAR_YEAR(CreatedDate) FROM Account", "MALFORMED_QUERY", 8, "Field must be grouped or aggregated"),
];

#[test]
fn refusals_have_their_code_place_and_reason() {
    let org = org();
    for (soql, code, column, reason) in REFUSED {
        let error = match ask(&org, soql) {
            Err(error) => error,
            Ok(answer) => panic!("{soql} was answered: {}", rows(&answer)),
        };
        assert_eq!(error.status, 400);
        assert_eq!(error.code, *code, "{soql}: {error}");
        let (place, words) = error.message.split_once("ERROR at Row:1:Column:").unwrap();
        let (at, words) = words.split_once('\n').unwrap();
        assert_eq!(at, column.to_string(), "{soql}: {error}");
        assert!(words.starts_with(reason), "{soql}: {words}");
        assert_eq!(place.trim_end().chars().last(), Some('^'));
    }
}

#[test]
fn an_offset_has_a_greatest_value() {
    let error = ask(&org(), "SELECT Id FROM Account OFFSET 2001").unwrap_err();
    assert_eq!(error.code, "NUMBER_OUTSIDE_VALID_RANGE");
    assert_eq!(error.message, "Maximum SOQL offset allowed is 2000");
}
