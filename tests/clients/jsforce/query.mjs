// jsforce: queries, their pages, describes, searches and limits.

import assert from "node:assert/strict";
import { checks } from "../checks.mjs";
import { connect, SfDate } from "./connection.mjs";

const check = checks("jsforce");
const connection = connect();

await check("query with a parent and children", async () => {
  const { totalSize, done, records } = await connection.query(
    "SELECT Name, Owner.Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 2) FROM Account " +
      "WHERE Id IN (SELECT AccountId FROM Contact) ORDER BY Name LIMIT 3",
  );
  assert.deepEqual([totalSize, done, records.length], [3, true, 3]);
  assert.deepEqual(
    records.map((account) => account.Name),
    records.map((account) => account.Name).toSorted(),
  );
  for (const account of records) {
    assert.equal(account.attributes.type, "Account");
    assert.match(account.attributes.url, /^\/services\/data\/v68\.0\/sobjects\/Account\/001\w{15}$/);
    assert.equal(account.Owner.attributes.type, "User");
    assert.equal(account.Contacts.totalSize, account.Contacts.records.length);
    assert.ok(account.Contacts.records.every((contact) => contact.LastName.length > 0));
  }
});

await check("query in pages with queryMore", async () => {
  const ids = new Set();
  const sizes = [];
  let page = await connection.query("SELECT Id FROM Measurement__c");
  assert.match(page.nextRecordsUrl, /\/query\/01g\w+-2000$/);
  for (;;) {
    assert.equal(page.totalSize, 5_000);
    sizes.push(page.records.length);
    page.records.forEach((record) => ids.add(record.Id));
    if (page.done) break;
    page = await connection.queryMore(page.nextRecordsUrl);
  }
  assert.deepEqual(sizes, [2_000, 2_000, 1_000]);
  assert.equal(ids.size, 5_000);
});

await check("query with autoFetch, in pages of 500", async () => {
  const records = [];
  const query = connection
    .query("SELECT Name FROM Measurement__c ORDER BY Name DESC", { headers: { "Sforce-Query-Options": "batchSize=500" } })
    .on("record", (record) => records.push(record.Name));
  await query.run({ autoFetch: true, maxFetch: 4_200 });
  assert.equal(records.length, 4_200);
  assert.deepEqual(records, records.toSorted().reverse());
});

await check("find, sort, limit and skip of the query builder", async () => {
  const all = await connection.sobject("Lead").find({ IsConverted: false }, ["Id", "Name"]).sort({ Name: 1, Id: 1 });
  const some = await connection
    .sobject("Lead")
    .find({ IsConverted: false }, ["Id", "Name"])
    .sort({ Name: 1, Id: 1 })
    .limit(5)
    .skip(10);
  assert.deepEqual(
    some.map((lead) => lead.Id),
    all.slice(10, 15).map((lead) => lead.Id),
  );
  const since = await connection.sobject("Account").count({ CreatedDate: { $gte: SfDate.LAST_N_YEARS(20) } });
  assert.equal(since, 60);
});

await check("count, aggregates and groups", async () => {
  const count = await connection.query("SELECT COUNT() FROM Account");
  assert.deepEqual([count.totalSize, count.records], [60, []]);
  const { records } = await connection.query(
    "SELECT StageName stage, COUNT(Id) n, SUM(Amount) FROM Opportunity GROUP BY StageName ORDER BY StageName",
  );
  assert.equal(
    records.reduce((sum, row) => sum + row.n, 0),
    120,
  );
  assert.deepEqual(Object.keys(records[0]).toSorted(), ["attributes", "expr0", "n", "stage"]);
  assert.equal(records[0].attributes.type, "AggregateResult");
});

await check("queryAll finds what was deleted", async () => {
  const id = (await connection.create("Lead", { LastName: "Ephemeral", Company: "Gone Ltd" })).id;
  await connection.delete("Lead", id);
  const soql = `SELECT Id, IsDeleted FROM Lead WHERE Id = '${id}'`;
  assert.equal((await connection.query(soql)).totalSize, 0);
  const { records } = await connection.query(soql, { scanAll: true });
  assert.deepEqual([records[0].Id, records[0].IsDeleted], [id, true]);
});

await check("a query's errors carry Salesforce's codes", async () => {
  const refusals = [
    ["SELECT Id FORM Account", "MALFORMED_QUERY", /unexpected token/],
    ["SELECT Nothing FROM Account", "INVALID_FIELD", /No such column 'Nothing' on entity 'Account'/],
    ["SELECT Id FROM Nothing", "INVALID_TYPE", /sObject type 'Nothing' is not supported/],
    ["SELECT Id FROM Account WHERE Name > 5", "INVALID_FIELD", /ERROR at Row:1:Column:/],
  ];
  for (const [soql, errorCode, message] of refusals) {
    await assert.rejects(() => connection.query(soql).run(), { name: errorCode, errorCode, message });
  }
});

await check("describeGlobal", async () => {
  const { encoding, sobjects } = await connection.describeGlobal();
  assert.equal(encoding, "UTF-8");
  const account = sobjects.find((object) => object.name === "Account");
  assert.deepEqual([account.keyPrefix, account.custom, account.queryable], ["001", false, true]);
  assert.equal(sobjects.find((object) => object.name === "Measurement__c").custom, true);
});

await check("describe, remembered", async () => {
  const described = await connection.describe$("Opportunity");
  const stage = described.fields.find((field) => field.name === "StageName");
  assert.deepEqual([stage.type, stage.nillable, stage.createable], ["picklist", false, true]);
  assert.ok(stage.picklistValues.some((value) => value.value === "Closed Won" && value.active));
  assert.ok(described.childRelationships.some((child) => child.childSObject === "OpportunityContactRole"));
  assert.equal(connection.describe$$("Opportunity"), described);
  await assert.rejects(() => connection.describe("Nothing__c"), { errorCode: "NOT_FOUND" });
});

await check("search", async () => {
  const { id } = await connection.create("Account", { Name: "Quetzalcoatl Feathers" });
  const { searchRecords } = await connection.search(
    "FIND {quetzalcoatl} IN NAME FIELDS RETURNING Account(Id, Name), Contact(Id)",
  );
  assert.deepEqual(
    searchRecords.map((record) => [record.attributes.type, record.Id, record.Name]),
    [["Account", id, "Quetzalcoatl Feathers"]],
  );
  await assert.rejects(() => connection.search("FIND nothing"), { errorCode: "MALFORMED_SEARCH" });
});

await check("recent", async () => {
  const { records } = await connection.query("SELECT Id FROM Account LIMIT 2 FOR VIEW");
  const recent = await connection.recent();
  for (const { Id } of records) assert.ok(recent.some((record) => record.Id === Id), `${Id} in ${JSON.stringify(recent)}`);
  const accounts = await connection.recent("Account", 1);
  assert.equal(accounts.length, 1);
  assert.equal(accounts[0].attributes.type, "Account");
});

await check("limits count down", async () => {
  const before = (await connection.limits()).DailyApiRequests;
  const after = (await connection.limits()).DailyApiRequests;
  assert.equal(before.Max, after.Max);
  assert.equal(before.Remaining - after.Remaining, 1);
  assert.deepEqual(connection.limitInfo.apiUsage, { used: after.Max - after.Remaining, limit: after.Max });
});

await check("identity", async () => {
  const identity = await connection.identity();
  assert.equal(identity.username, "robin.admin@devorg.example");
  assert.match(identity.user_id, /^005\w{15}$/);
  assert.match(identity.urls.rest, /\/services\/data\/v\{version\}\/$/);
});
