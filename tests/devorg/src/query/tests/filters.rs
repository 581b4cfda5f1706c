//! `WHERE`: operators, missing values, dates, sets, semi-joins.

use super::*;

#[test]
fn texts_are_compared_without_case() {
    assert_accounts(&[
        ("Name = 'ACME'", "Acme"),
        ("Name = 'émile'", "Émile"),
        ("Name != 'acme'", "beta | Émile"),
        ("Name <> 'acme'", "beta | Émile"),
        ("Name > 'B'", "beta | Émile"),
        ("Name <= 'BETA'", "Acme | beta"),
        ("Name LIKE 'a%'", "Acme"),
        ("Name LIKE '_eta'", "beta"),
        ("Name LIKE 'acm'", ""),
        ("(NOT Name LIKE '%e')", "beta"),
        ("Industry = 'energy'", "Acme"),
    ]);
}

#[test]
fn a_missing_value_is_unequal_to_any_other() {
    assert_accounts(&[
        ("Industry = null", "beta"),
        ("Industry = ''", "beta"),
        ("Industry != null", "Acme | Émile"),
        ("Industry != 'Energy'", "beta | Émile"),
        ("NOT Industry = 'Energy'", "beta | Émile"),
        ("Industry NOT IN ('Energy')", "beta | Émile"),
        ("Industry IN ('Energy', null)", "Acme | beta"),
        ("AnnualRevenue < 1000000", "Émile"),
        ("AnnualRevenue > 0 OR AnnualRevenue <= 0", "Acme | Émile"),
        ("Parent.Name = null", "Acme | Émile"),
        ("Parent.Name != 'x'", "Acme | beta | Émile"),
        ("Parent.IsPartner = false", "Acme | Émile"),
        ("Parent.IsPartner = true", "beta"),
    ]);
}

#[test]
fn numbers_ids_and_checkboxes_are_compared() {
    let (acme, beta) = (Id::numbered("001", 1), Id::numbered("001", 2));
    assert_accounts(&[
        ("NumberOfEmployees = 50", "Acme | Émile"),
        (
            "NumberOfEmployees < 50.5 AND NumberOfEmployees >= 10.0",
            "Acme | beta | Émile",
        ),
        ("AnnualRevenue = 1.5e6", "Acme"),
        ("AnnualRevenue >= USD1500000", "Acme"),
        ("NumberOfEmployees IN (10, 20)", "beta"),
        ("IsPartner = true", "Acme"),
        ("IsPartner != true", "beta | Émile"),
        (&format!("Id = '{acme}'"), "Acme"),
        (&format!("Id = '{}'", acme.short()), "Acme"),
        (&format!("Id > '{acme}'"), "beta | Émile"),
        (
            &format!("Id IN ('{acme}', '{}')", beta.short()),
            "Acme | beta",
        ),
        (&format!("ParentId NOT IN ('{acme}')"), "Acme | Émile"),
        ("ParentId = ''", "Acme | Émile"),
        ("Owner.Name = 'ada admin'", "Acme | Émile"),
    ]);
}

#[test]
fn conditions_are_combined() {
    assert_accounts(&[
        ("Name = 'Acme' AND NumberOfEmployees = 50", "Acme"),
        ("Name = 'Acme' OR Name = 'beta'", "Acme | beta"),
        ("NOT (Name = 'Acme' OR Name = 'beta')", "Émile"),
        (
            "NumberOfEmployees = 50 AND (Name = 'Acme' OR Name = 'beta')",
            "Acme",
        ),
    ]);
}

#[test]
fn several_values_are_included_or_not() {
    let cases = [
        ("INCLUDES ('Manual')", 2),
        ("INCLUDES ('calibrated;MANUAL')", 1),
        ("INCLUDES ('Calibrated;Manual', 'Replayed')", 1),
        ("INCLUDES ('Replayed')", 0),
        ("EXCLUDES ('Calibrated')", 2),
        ("EXCLUDES ('Manual')", 1),
        ("= 'Calibrated;Manual'", 1),
        ("= null", 1),
    ];
    let org = org();
    for (test, expected) in cases {
        let soql = format!("SELECT COUNT() FROM Measurement__c WHERE Flags__c {test}");
        assert_eq!(ask(&org, &soql).unwrap().total_size, expected, "{test}");
    }
}

#[test]
fn days_are_those_of_the_users_time_zone() {
    let org = org();
    let names = |zone: &str, condition: &str| {
        let soql = format!("SELECT Name FROM Account WHERE {condition}");
        rows(&run(&org, &session(&org, zone), &soql, options()).unwrap())
    };
    assert_eq!(names("UTC", "CreatedDate = TODAY"), "Acme");
    assert_eq!(names("UTC", "CreatedDate = YESTERDAY"), "beta");
    assert_eq!(names("Asia/Tokyo", "CreatedDate = TODAY"), "Acme | beta");
    // Still the 22nd there at one in the morning of London.
    assert_eq!(
        names("America/Los_Angeles", "CreatedDate = YESTERDAY"),
        "Acme | beta"
    );
    assert_eq!(names("America/Los_Angeles", "CreatedDate = TODAY"), "");
}

#[test]
fn dates_are_compared_with_days_moments_and_literals() {
    assert_accounts(&[
        ("CreatedDate = THIS_YEAR", "Acme | beta"),
        ("CreatedDate < THIS_YEAR", "Émile"),
        ("CreatedDate <= LAST_YEAR", "Émile"),
        ("CreatedDate > LAST_WEEK", "Acme | beta"),
        ("CreatedDate = LAST_N_DAYS:1", "Acme | beta"),
        ("CreatedDate IN (TODAY, LAST_YEAR)", "Acme | Émile"),
        ("CreatedDate = 2026-11-23T01:00:00Z", "Acme"),
        ("CreatedDate = 2026-11-23T02:00:00+01:00", "Acme"),
        ("CreatedDate >= 2026-11-23T01:00:00Z", "Acme"),
        ("CreatedDate > 2026-11-23T01:00:00Z", ""),
        ("CreatedDate < 2026-11-23T01:00:00.000Z", "beta | Émile"),
        ("CALENDAR_YEAR(CreatedDate) = 2025", "Émile"),
        ("HOUR_IN_DAY(CreatedDate) IN (1, 10)", "Acme | Émile"),
        ("DAY_ONLY(CreatedDate) = 2026-11-23", "Acme"),
        ("DAY_ONLY(convertTimezone(CreatedDate)) = TODAY", "Acme"),
    ]);
    let sales = [
        ("CloseDate = 2026-11-23", "First"),
        ("CloseDate < 2026-11-23", "Second | Third"),
        ("CloseDate = TODAY", "First"),
        // The fiscal year of this org begins in February.
        ("CloseDate = THIS_FISCAL_YEAR", "First | Third"),
        ("CloseDate = LAST_FISCAL_QUARTER", ""),
        ("FISCAL_YEAR(CloseDate) = 2026", "Second"),
        ("CloseDate = null", "Fourth"),
    ];
    let org = org();
    for (condition, expected) in sales {
        let soql = format!("SELECT Name FROM Opportunity WHERE {condition}");
        assert_eq!(rows(&ask(&org, &soql).unwrap()), expected, "{condition}");
    }
}

#[test]
fn semi_joins_look_into_other_objects() {
    assert_accounts(&[
        ("Id IN (SELECT AccountId FROM Contact)", "Acme"),
        ("Id NOT IN (SELECT AccountId FROM Contact)", "beta | Émile"),
        (
            "Id IN (SELECT AccountId FROM Opportunity WHERE Amount > 1)",
            "beta",
        ),
        (
            "Id IN (SELECT AccountId FROM Opportunity WHERE Amount > 1) AND Id NOT IN (SELECT AccountId FROM Contact)",
            "beta",
        ),
        (
            "OwnerId IN (SELECT Id FROM User WHERE Name LIKE 'Bob%')",
            "beta",
        ),
    ]);
    assert_rows(&[(
        "SELECT LastName FROM Contact WHERE AccountId NOT IN (SELECT Id FROM Account)",
        "Orphan | Left",
    )]);
}

#[test]
fn addresses_are_near_or_far() {
    let paris = "GEOLOCATION(48.8566, 2.3522)";
    let org = org();
    for (soql, expected) in [
        (
            "SELECT Name FROM Account WHERE DISTANCE(BillingAddress, PARIS, 'km') < 400",
            "Acme",
        ),
        (
            "SELECT Name FROM Account WHERE DISTANCE(BillingAddress, PARIS, 'mi') > 245",
            "",
        ),
        (
            "SELECT Name FROM Account WHERE DISTANCE(BillingAddress, PARIS, 'mi') < 245",
            "Acme",
        ),
        // What is nowhere is neither near nor far.
        (
            "SELECT Name FROM Account WHERE DISTANCE(ShippingAddress, PARIS, 'km') > 0",
            "",
        ),
        (
            "SELECT LastName FROM Contact WHERE DISTANCE(Account.BillingAddress, PARIS, 'km') < 400",
            "Young | Zed",
        ),
        (
            "SELECT Name FROM Account ORDER BY distance(BillingAddress, PARIS, 'km') DESC NULLS LAST",
            "Acme | beta | Émile",
        ),
        (
            "SELECT Name FROM Account WHERE DISTANCE(BillingAddress, BillingAddress, 'km') < 1",
            "Acme",
        ),
    ] {
        let soql = soql.replace("PARIS", paris);
        assert_eq!(rows(&ask(&org, &soql).unwrap()), expected, "{soql}");
    }
    let soql = format!("SELECT DISTANCE(BillingAddress, {paris}, 'km') FROM Account");
    let answer = ask(&org, &soql).unwrap();
    let km = answer.records[0]["expr0"].as_f64().unwrap();
    assert!((391.0..393.0).contains(&km), "{km}");
    assert_eq!(answer.records[1]["expr0"], Json::Null);
    let soql = soql.replace("'km')", "'km') away");
    assert_eq!(ask(&org, &soql).unwrap().records[0]["away"], km);
}
