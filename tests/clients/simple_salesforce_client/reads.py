"""simple-salesforce: queries, their pages, describes, searches and limits."""

from checks import Checks, equal, refused
from simple_salesforce import format_soql
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from client import connect

checks = Checks("simple-salesforce")
check = checks.check
salesforce = connect()

with check("query with a parent and children"):
    answer = salesforce.query(
        "SELECT Name, Owner.Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 2) FROM Account "
        "WHERE Id IN (SELECT AccountId FROM Contact) ORDER BY Name LIMIT 3"
    )
    equal((answer["totalSize"], answer["done"], len(answer["records"])), (3, True, 3))
    for account in answer["records"]:
        equal(account["attributes"]["type"], "Account")
        equal(account["Owner"]["attributes"]["type"], "User")
        equal(account["Contacts"]["totalSize"], len(account["Contacts"]["records"]))

with check("query in pages with query_more"):
    page = salesforce.query("SELECT Id FROM Measurement__c")
    equal((page["totalSize"], page["done"], len(page["records"])), (5_000, False, 2_000))
    second = salesforce.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    third = salesforce.query_more(second["nextRecordsUrl"].rsplit("/", 1)[1])
    equal((len(second["records"]), len(third["records"]), third["done"]), (2_000, 1_000, True))

with check("query_all and query_all_iter go through all pages"):
    everything = salesforce.query_all("SELECT Id FROM Measurement__c")
    equal((everything["totalSize"], len({record["Id"] for record in everything["records"]})), (5_000, 5_000))
    equal(sum(1 for _ in salesforce.query_all_iter("SELECT Id FROM Measurement__c")), 5_000)

with check("query with include_deleted finds what was deleted"):
    lead = salesforce.Lead.create({"LastName": "Ephemeral", "Company": "Gone Ltd"})["id"]
    salesforce.Lead.delete(lead)
    soql = format_soql("SELECT Id, IsDeleted FROM Lead WHERE Id = {}", lead)
    equal(salesforce.query(soql)["totalSize"], 0)
    equal(salesforce.query(soql, include_deleted=True)["records"][0]["IsDeleted"], True)

with check("format_soql quotes what a query must not take for its own"):
    name = "O'Re\\illy \"& Söhne\" %_\n2"
    account = salesforce.Account.create({"Name": name})["id"]
    found = salesforce.query(format_soql("SELECT Id FROM Account WHERE Name = {}", name))
    equal([record["Id"] for record in found["records"]], [account])
    found = salesforce.query(format_soql("SELECT Id FROM Account WHERE Name LIKE '{:like}%'", name))
    equal([record["Id"] for record in found["records"]], [account])

with check("a query's errors are the client's own"):
    with refused(SalesforceMalformedRequest, "MALFORMED_QUERY", "unexpected token"):
        salesforce.query("SELECT Id FORM Account")
    with refused(SalesforceMalformedRequest, "INVALID_FIELD", "No such column 'Nothing' on entity 'Account'"):
        salesforce.query("SELECT Nothing FROM Account")
    with refused(SalesforceMalformedRequest, "INVALID_TYPE", "sObject type 'Nothing' is not supported"):
        salesforce.query("SELECT Id FROM Nothing")
    with refused(SalesforceResourceNotFound, "NOT_FOUND"):
        salesforce.Nothing__c.describe()
    with refused(SalesforceExpiredSession, "INVALID_SESSION_ID", "Session expired or invalid"):
        connect(session_id="00DDO0000000001!AQnothing").query("SELECT Id FROM Account")

with check("describe, of the org and of objects"):
    objects = {described["name"]: described for described in salesforce.describe()["sobjects"]}
    equal((objects["Account"]["keyPrefix"], objects["Measurement__c"]["custom"]), ("001", True))
    fields = {field["name"]: field for field in salesforce.Account.describe()["fields"]}
    equal((fields["Industry"]["type"], fields["Name"]["nillable"]), ("picklist", False))
    equal(salesforce.Account.metadata()["objectDescribe"]["name"], "Account")

with check("search and quick_search"):
    account = salesforce.Account.create({"Name": "Quetzalcoatl Feathers"})["id"]
    found = salesforce.search("FIND {quetzalcoatl} IN NAME FIELDS RETURNING Account(Id, Name)")
    equal([record["Id"] for record in found["searchRecords"]], [account])
    assert account in [record["Id"] for record in salesforce.quick_search("Quetzalcoatl")["searchRecords"]]
    with refused(SalesforceMalformedRequest, "MALFORMED_SEARCH"):
        salesforce.search("FIND nothing")

with check("recent"):
    viewed = salesforce.query("SELECT Id FROM Account LIMIT 1 FOR VIEW")["records"][0]["Id"]
    assert viewed in [record["Id"] for record in salesforce.restful("recent")]

with check("limits, and how many requests are used"):
    before = salesforce.limits()["DailyApiRequests"]
    after = salesforce.limits()["DailyApiRequests"]
    equal(before["Remaining"] - after["Remaining"], 1)
    usage = salesforce.api_usage["api-usage"]
    equal((usage.used, usage.total), (after["Max"] - after["Remaining"], after["Max"]))

with check("the organization is no sandbox, or says so"):
    equal(salesforce.is_sandbox(), salesforce.query("SELECT IsSandbox FROM Organization")["records"][0]["IsSandbox"])

checks.end()
