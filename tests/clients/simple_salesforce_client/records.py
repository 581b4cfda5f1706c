"""simple-salesforce: records made, read, changed, deleted; one, many, and in bulk."""

from datetime import datetime, timedelta

from checks import Checks, equal, refused
from simple_salesforce.exceptions import (
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_external_id

from client import connect

checks = Checks("simple-salesforce")
check = checks.check
salesforce = connect()

TAKEN = {"Sensor__c": "S-1", "Taken_At__c": "2026-11-01T10:00:00Z"}


def count(condition: str) -> int:
    """Counts leads."""
    return salesforce.query(f"SELECT COUNT() FROM Lead WHERE {condition}")["totalSize"]


with check("create, get, update and delete a record"):
    made = salesforce.Contact.create({"LastName": "Müller", "Email": "mueller@example.com"})
    equal((made["success"], made["errors"]), (True, []))
    read = salesforce.Contact.get(made["id"])
    equal((read["LastName"], read["Email"]), ("Müller", "mueller@example.com"))
    equal(salesforce.Contact.update(made["id"], {"LastName": "Schmidt"}), 204)
    equal(salesforce.Contact.get(made["id"])["LastName"], "Schmidt")
    equal(salesforce.Contact.delete(made["id"]), 204)
    with refused(SalesforceResourceNotFound, "ENTITY_IS_DELETED"):
        salesforce.Contact.get(made["id"])

with check("upsert by an external id"):
    key = format_external_id("External_Key__c", "py/1ü")
    equal(salesforce.Measurement__c.upsert(key, TAKEN | {"Value__c": 1.5}), 201)
    equal(salesforce.Measurement__c.upsert(key, TAKEN | {"Value__c": 2.25}), 200)
    read = salesforce.Measurement__c.get_by_custom_id("External_Key__c", "py/1ü")
    equal((read["External_Key__c"], read["Value__c"]), ("py/1ü", 2.25))

with check("a record's errors are the client's own"):
    with refused(SalesforceMalformedRequest, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"):
        salesforce.Account.create({"Phone": "1"})
    with refused(SalesforceMalformedRequest, "INVALID_FIELD", "No such column 'Nothing__c' on sobject of type Account"):
        salesforce.Account.create({"Name": "x", "Nothing__c": 1})
    with refused(SalesforceMalformedRequest, "STRING_TOO_LONG"):
        salesforce.Account.create({"Name": "x" * 256})
    with refused(SalesforceResourceNotFound, "NOT_FOUND"):
        salesforce.Account.get("001000000000000AAA")
    with refused(SalesforceMalformedRequest, "JSON_PARSER_ERROR"):
        salesforce.restful("sobjects/Account", method="POST", data="{")

with check("several records of one external id are told"):
    for name in ("First", "Second"):
        salesforce.Contact.create({"LastName": name, "Email": "twice@example.com"})
    with refused(SalesforceMoreThanOneRecord, "/sobjects/Contact/003"):
        salesforce.Contact.get_by_custom_id("Email", "twice@example.com")

with check("updated and deleted records of a span of time"):
    lead = salesforce.Lead.create({"LastName": "Span", "Company": "Time"})["id"]
    created = salesforce.Lead.get(lead)["CreatedDate"]
    moment = datetime.strptime(created, "%Y-%m-%dT%H:%M:%S.%f%z")
    start, end = moment - timedelta(hours=1), moment + timedelta(hours=1)
    assert lead in salesforce.Lead.updated(start, end)["ids"]
    salesforce.Lead.delete(lead)
    assert lead in [record["id"] for record in salesforce.Lead.deleted(start, end)["deletedRecords"]]

with check("collections: create, update and delete many by the REST API"):
    rows = [{"attributes": {"type": "Lead"}, "LastName": f"Row {n}", "Company": "Rows"} for n in range(200)]
    made = salesforce.restful("composite/sobjects", method="POST", json={"records": rows})
    equal([row["success"] for row in made], [True] * 200)
    ids = [row["id"] for row in made]
    changes = [{"attributes": {"type": "Lead"}, "id": lead, "City": "Lyon"} for lead in ids]
    changed = salesforce.restful("composite/sobjects", method="PATCH", json={"records": changes})
    equal([row["id"] for row in changed], ids)
    equal(count("City = 'Lyon' AND Company = 'Rows'"), 200)
    gone = salesforce.restful("composite/sobjects", params={"ids": ",".join(ids)}, method="DELETE")
    equal([row["success"] for row in gone], [True] * 200)
    equal(count("Company = 'Rows'"), 0)

with check("collections: all or none"):
    rows = [{"attributes": {"type": "Lead"}, "LastName": "None", "Company": "x"}, {"attributes": {"type": "Lead"}}]
    made = salesforce.restful("composite/sobjects", method="POST", json={"allOrNone": True, "records": rows})
    codes = [row["errors"][0]["statusCode"] for row in made]
    equal(codes, ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"])
    equal(count("LastName = 'None'"), 0)

with check("Bulk 2.0: insert, upsert and delete"):
    rows = [{"LastName": f"Bulk {n}", "Company": 'Quotes, "and" commas\nand lines'} for n in range(300)]
    jobs = salesforce.bulk2.Lead.insert(records=rows)
    equal([(job["numberRecordsProcessed"], job["numberRecordsFailed"]) for job in jobs], [(300, 0)])
    equal(count("LastName LIKE 'Bulk %'"), 300)
    read = salesforce.query("SELECT Company FROM Lead WHERE LastName = 'Bulk 7'")["records"]
    equal([lead["Company"].replace("\r\n", "\n") for lead in read], ['Quotes, "and" commas\nand lines'])

    keyed = [TAKEN | {"External_Key__c": f"py-bulk-{n}", "Value__c": str(n)} for n in range(3)]
    for _ in range(2):
        jobs = salesforce.bulk2.Measurement__c.upsert(records=keyed, external_id_field="External_Key__c")
        equal(jobs[0]["numberRecordsFailed"], 0)
    equal(salesforce.query("SELECT COUNT() FROM Measurement__c WHERE External_Key__c LIKE 'py-bulk-%'")["totalSize"], 3)

    leads = salesforce.query_all("SELECT Id FROM Lead WHERE LastName LIKE 'Bulk %'")["records"]
    jobs = salesforce.bulk2.Lead.delete(records=[{"Id": lead["Id"]} for lead in leads])
    equal(jobs[0]["numberRecordsProcessed"], 300)
    equal(count("LastName LIKE 'Bulk %'"), 0)

with check("Bulk 2.0: what fails is told apart"):
    rows = [{"LastName": "Good", "Company": "Row"}, {"LastName": "", "Company": "No name"}]
    job = salesforce.bulk2.Lead.insert(records=rows)[0]
    equal((job["numberRecordsProcessed"], job["numberRecordsFailed"]), (2, 1))
    good = salesforce.bulk2.Lead.get_successful_records(job["job_id"]).splitlines()
    bad = salesforce.bulk2.Lead.get_failed_records(job["job_id"]).splitlines()
    for lines, told in ((good, "sf__Created"), (bad, "sf__Error")):
        names = lines[0].replace('"', "").split(",")
        # The client writes the columns in the order of a set.
        equal((names[:2], sorted(names[2:]), len(lines)), (["sf__Id", told], ["Company", "LastName"], 2))
    assert "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --" in bad[1], bad

with check("Bulk 2.0: query in parts"):
    parts = list(salesforce.bulk2.Measurement__c.query("SELECT Id, Name FROM Measurement__c", max_records=2_000))
    rows = [line for part in parts for line in part.splitlines()[1:]]
    total = salesforce.query("SELECT COUNT() FROM Measurement__c")["totalSize"]
    equal((len(parts), len(rows)), (-(-total // 2_000), total))
    equal(len(set(rows)), total)

checks.end()
