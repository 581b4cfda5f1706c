"""The `sf` CLI: signed in with a token, then queries, records, bulk jobs, describes and searches.

It runs as a person runs it, with a home of its own, and with everything off that would go beyond loopback.
"""

import csv
import io
import json
import os
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

from checks import ORG, Checks, equal

checks = Checks("sf")
check = checks.check
ADMINISTRATOR = ORG["users"][0]
HERE = Path.cwd()

QUIET = {
    "SF_DISABLE_TELEMETRY": "true",
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_DISABLE_AUTOUPDATE": "true",
    "SF_DISABLE_LOG_FILE": "true",
    "SF_HIDE_RELEASE_NOTES": "true",
    # Where it would keep tokens in a keychain of the system.
    "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    "SF_CRYPTO_V2": "true",
    "NO_COLOR": "1",
}


def sf(*arguments: str) -> subprocess.CompletedProcess:
    """Runs `sf` and gives what it printed."""
    variables = os.environ | QUIET | {"SF_ACCESS_TOKEN": ADMINISTRATOR["access_token"]}
    return subprocess.run(["sf", *arguments], env=variables, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def result(*arguments: str):
    """Runs `sf … --json` and gives its result."""
    ran = sf(*arguments, "--json")
    assert ran.returncode == 0, f"sf {' '.join(arguments)}: {ran.stdout}{ran.stderr}"
    return json.loads(ran.stdout)["result"]


def refusal(*arguments: str) -> dict:
    """Runs `sf … --json`, which has to fail, and gives the error."""
    ran = sf(*arguments, "--json")
    assert ran.returncode != 0, f"sf {' '.join(arguments)} did not fail: {ran.stdout}"
    return json.loads(ran.stdout or ran.stderr)


with check("org login access-token"):
    org = result("org", "login", "access-token", "--instance-url", ORG["url"], "--no-prompt", "--set-default", "--alias", "dev")
    equal((org["username"], org["instanceUrl"].rstrip("/")), (ADMINISTRATOR["username"], ORG["url"]))
    assert org["orgId"].startswith("00D"), org

with check("org display"):
    shown = result("org", "display", "--target-org", "dev")
    equal((shown["username"], shown["alias"], shown["connectedStatus"]), (ADMINISTRATOR["username"], "dev", "Connected"))

with check("data query, with a parent, children and pages"):
    rows = result("data", "query", "--query", "SELECT Name, Owner.Name, (SELECT LastName FROM Contacts) FROM Account LIMIT 5")
    equal((rows["totalSize"], rows["done"]), (5, True))
    equal(rows["records"][0]["Owner"]["attributes"]["type"], "User")
    rows = result("data", "query", "--query", "SELECT Id FROM Measurement__c")
    equal((rows["totalSize"], len({row["Id"] for row in rows["records"]})), (5_000, 5_000))

with check("data query as a table, with nested columns and aggregates"):
    ran = sf("data", "query", "--query", "SELECT Name, Owner.Name FROM Account ORDER BY Name LIMIT 2")
    equal(ran.returncode, 0)
    heading = next(line for line in ran.stdout.splitlines() if "NAME" in line.upper())
    assert "OWNER.NAME" in heading.upper(), ran.stdout
    assert "Total number of records retrieved: 2." in ran.stdout, ran.stdout
    ran = sf("data", "query", "--query", "SELECT COUNT() FROM Account")
    assert ran.returncode == 0 and "60" in ran.stdout, ran.stdout + ran.stderr

with check("data query --result-format csv"):
    soql = "SELECT Name, Owner.Name, BillingCity FROM Account ORDER BY Name LIMIT 3"
    wanted = result("data", "query", "--query", soql)["records"]
    ran = sf("data", "query", "--query", soql, "--result-format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.stdout)))
    equal(
        [(row["Name"], row["Owner.Name"], row["BillingCity"]) for row in rows],
        [(row["Name"], row["Owner"]["Name"], row["BillingCity"] or "") for row in wanted],
    )
    # It heads the column of an aggregate with the name that `columns=true` shows for it.
    soql = "SELECT StageName, COUNT(Id) FROM Opportunity GROUP BY StageName"
    ran = sf("data", "query", "--query", soql, "--result-format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.stdout)))
    equal(sum(int(row["count(Id)"]) for row in rows), 120)

with check("data query tells errors"):
    for soql, name in [
        ("SELECT Nothing FROM Account", "INVALID_FIELD"),
        ("SELECT Id FORM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
    ]:
        equal(refusal("data", "query", "--query", soql)["name"], name)

with check("data create, get, update and delete record"):
    made = result("data", "create", "record", "--sobject", "Account", "--values", "Name='Sf & Söhne' NumberOfEmployees=12")
    assert made["success"] and made["id"].startswith("001"), made
    record = ["--sobject", "Account", "--record-id", made["id"]]
    read = result("data", "get", "record", *record)
    equal((read["Name"], read["NumberOfEmployees"]), ("Sf & Söhne", 12))
    equal(result("data", "update", "record", *record, "--values", "Site=Yard")["success"], True)
    read = result("data", "get", "record", "--sobject", "Account", "--where", "Name='Sf & Söhne'")
    equal((read["Id"], read["Site"]), (made["id"], "Yard"))
    equal(result("data", "delete", "record", *record)["success"], True)
    equal(refusal("data", "get", "record", *record)["name"], "ENTITY_IS_DELETED")
    refused = refusal("data", "create", "record", "--sobject", "Account", "--values", "Phone=1")
    equal(refused["name"], "REQUIRED_FIELD_MISSING")

with check("sobject list and describe"):
    names = result("sobject", "list", "--sobject", "custom")
    assert "Measurement__c" in names and "Account" not in names, names
    described = result("sobject", "describe", "--sobject", "Measurement__c")
    key = next(field for field in described["fields"] if field["name"] == "External_Key__c")
    equal((described["keyPrefix"], key["externalId"], key["type"]), ("a00", True, "string"))
    equal(refusal("sobject", "describe", "--sobject", "Nothing__c")["name"], "NOT_FOUND")

with check("data search"):
    made = result("data", "create", "record", "--sobject", "Account", "--values", "Name='Quetzalcoatl Feathers'")
    found = result("data", "search", "--query", "FIND {quetzalcoatl} IN NAME FIELDS RETURNING Account(Id, Name)")
    equal([row["Id"] for row in found["searchRecords"]], [made["id"]])

with check("data import bulk"):
    (HERE / "leads.csv").write_text("LastName,Company\n" + "".join(f"Import {n},Bulk Ltd\n" for n in range(50)))
    done = result("data", "import", "bulk", "--sobject", "Lead", "--file", "leads.csv", "--wait", "2")
    equal((done["processedRecords"], done["successfulRecords"], done["failedRecords"]), (50, 50, 0))
    equal(result("data", "query", "--query", "SELECT Id FROM Lead WHERE Company = 'Bulk Ltd'")["totalSize"], 50)

with check("data upsert bulk"):
    heading = "External_Key__c,Sensor__c,Taken_At__c,Value__c\n"
    (HERE / "keys.csv").write_text(heading + "".join(f"sf-{n},S-1,2026-11-01T10:00:00Z,{n}\n" for n in range(3)))
    upsert = ["data", "upsert", "bulk", "--sobject", "Measurement__c", "--external-id", "External_Key__c"]
    for _ in range(2):
        done = result(*upsert, "--file", "keys.csv", "--wait", "2")
        equal((done["jobInfo"]["numberRecordsProcessed"], done["jobInfo"]["numberRecordsFailed"]), (3, 0))
    equal(result("data", "query", "--query", "SELECT Id FROM Measurement__c WHERE External_Key__c LIKE 'sf-%'")["totalSize"], 3)

with check("data export bulk"):
    soql = "SELECT Id, Name FROM Measurement__c"
    done = result("data", "export", "bulk", "--query", soql, "--output-file", "out.csv", "--result-format", "csv", "--wait", "2")
    total = result("data", "query", "--query", "SELECT COUNT() FROM Measurement__c")["totalSize"]
    equal(done["totalSize"], total)
    with (HERE / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    equal((len(rows), len({row["Id"] for row in rows})), (total, total))

with check("data export tree and import tree"):
    soql = "SELECT Name, Industry, (SELECT LastName, Title FROM Contacts) FROM Account WHERE Name LIKE 'A%'"
    exported = result("data", "query", "--query", soql)
    result("data", "export", "tree", "--query", soql, "--plan", "--output-dir", "tree")
    (plan,) = (HERE / "tree").glob("*plan.json")
    # With their addresses they would be taken for duplicates.
    imported = result("data", "import", "tree", "--plan", str(plan))
    children = sum(len((row["Contacts"] or {"records": []})["records"]) for row in exported["records"])
    equal(len(imported), exported["totalSize"] + children)

with check("sobject describe and data export tree make another org"):
    describes = HERE / "describes"
    describes.mkdir()
    for name in ("Account", "Measurement__c"):
        ran = sf("sobject", "describe", "--sobject", name, "--json")
        (describes / f"{name}.json").write_text(ran.stdout)
    arguments = ["--describe", describes, "--data", HERE / "tree"]
    likeness = subprocess.Popen(
        [os.environ["SALESFORCE_DEVORG_PROGRAM"], *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        org = json.loads(likeness.stdout.readline())
        soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account"
        query = urllib.parse.urlencode({"q": soql})
        request = urllib.request.Request(f"{org['url']}/services/data/v68.0/query?{query}")
        request.add_header("Authorization", f"Bearer {org['users'][0]['access_token']}")
        with urllib.request.urlopen(request) as answer:
            rows = json.load(answer)
        equal((rows["totalSize"], rows["done"]), (exported["totalSize"], True))
        names = lambda rows: sorted(
            (row["Name"], sorted(child["LastName"] for child in (row["Contacts"] or {"records": []})["records"]))
            for row in rows["records"]
        )
        equal(names(rows), names(exported))
    finally:
        likeness.kill()
        likeness.wait()

checks.end()
