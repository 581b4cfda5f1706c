// jsforce: records made, read, changed, deleted; one, many, and by an external id.

import assert from "node:assert/strict";
import { checks } from "../checks.mjs";
import { connect } from "./connection.mjs";

const check = checks("jsforce");
const connection = connect();
const accounts = connection.sobject("Account");
const measurements = connection.sobject("Measurement__c");

/** Gives the fields of a measurement that has what it must. */
const measurement = (key, value) => ({
  External_Key__c: key,
  Sensor__c: "S-1",
  Taken_At__c: "2026-11-01T10:00:00.000+0000",
  Value__c: value,
});

await check("create, retrieve, update and delete a record", async () => {
  const created = await accounts.create({ Name: "Ünïcode & Söhne", NumberOfEmployees: 12 });
  assert.deepEqual([created.success, created.errors], [true, []]);
  assert.match(created.id, /^001\w{15}$/);
  const read = await accounts.retrieve(created.id);
  assert.deepEqual([read.Name, read.NumberOfEmployees, read.IsDeleted], ["Ünïcode & Söhne", 12, false]);

  assert.deepEqual(await accounts.update({ Id: created.id, NumberOfEmployees: 13, Phone: null }), {
    id: created.id,
    success: true,
    errors: [],
  });
  assert.equal((await accounts.retrieve(created.id.slice(0, 15))).NumberOfEmployees, 13);

  assert.equal((await accounts.delete(created.id)).success, true);
  await assert.rejects(() => accounts.retrieve(created.id), { errorCode: "ENTITY_IS_DELETED" });
});

await check("retrieve with fields alone", async () => {
  const [{ Id }] = await accounts.find({}, "Id").limit(1);
  const read = await accounts.retrieve(Id, { fields: ["Name"] });
  assert.deepEqual(Object.keys(read).toSorted(), ["Id", "Name", "attributes"]);
});

await check("upsert by an external id", async () => {
  const made = await measurements.upsert(measurement("js-1", 1.5), "External_Key__c");
  assert.deepEqual([made.success, made.created], [true, true]);
  const changed = await measurements.upsert(measurement("js-1", 2.25), "External_Key__c");
  assert.deepEqual([changed.id, changed.created], [made.id, false]);
  assert.equal((await measurements.retrieve(made.id)).Value__c, 2.25);
  await assert.rejects(() => accounts.upsert({ Name: "x", Site: "y" }, "Site"), {
    errorCode: "NOT_FOUND",
    message: "Provided external ID field does not exist or is not accessible: Site",
  });
});

await check("a record's errors carry Salesforce's codes and fields", async () => {
  const refusals = [
    [() => accounts.create({ Phone: "1" }), "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"],
    [() => accounts.create({ Name: "x", Nothing__c: 1 }), "INVALID_FIELD", /No such column 'Nothing__c' on sobject of type Account/],
    [() => accounts.create({ Name: "x".repeat(256) }), "STRING_TOO_LONG", /data value too large/],
    [() => accounts.update({ Id: "001000000000000AAA", Name: "x" }), "NOT_FOUND", /./],
    [() => accounts.delete("003000000000000"), "MALFORMED_ID", /id value of incorrect type: 003000000000000/],
  ];
  for (const [call, errorCode, message] of refusals) {
    await assert.rejects(call, { name: errorCode, errorCode, message });
  }
  await assert.rejects(
    () => accounts.create({}),
    (error) => assert.deepEqual(error.data.fields, ["Name"]) === undefined,
  );
});

await check("create, update and delete many", async () => {
  const names = Array.from({ length: 205 }, (_, n) => `Many ${n}`);
  const created = await accounts.create(
    names.map((Name) => ({ Name })),
    { allowRecursive: true },
  );
  assert.equal(created.length, 205);
  assert.ok(created.every((result) => result.success));
  const ids = created.map((result) => result.id);
  const read = await accounts.retrieve(ids.slice(0, 3));
  assert.deepEqual(
    read.map((account) => account.Name),
    names.slice(0, 3),
  );

  const updated = await accounts.update(ids.slice(0, 200).map((Id) => ({ Id, Site: "Yard" })));
  assert.deepEqual(
    updated.map((result) => [result.id, result.success]),
    ids.slice(0, 200).map((id) => [id, true]),
  );
  assert.equal(await accounts.count({ Site: "Yard" }), 200);

  const deleted = await accounts.delete(ids, { allowRecursive: true });
  assert.ok(deleted.every((result) => result.success));
  assert.equal(await accounts.count({ Name: { $like: "Many %" } }), 0);
});

await check("many, of which some fail", async () => {
  const results = await accounts.create([{ Name: "Half 1" }, { Phone: "1" }, { Name: "Half 2" }]);
  assert.deepEqual(
    results.map((result) => result.success),
    [true, false, true],
  );
  const [error] = results[1].errors;
  assert.deepEqual([error.statusCode, error.fields], ["REQUIRED_FIELD_MISSING", ["Name"]]);
  assert.equal(await accounts.count({ Name: { $like: "Half %" } }), 2);
});

await check("many, all or none", async () => {
  const results = await accounts.create([{ Name: "None 1" }, { Phone: "1" }], { allOrNone: true });
  assert.deepEqual(
    results.map((result) => [result.success, result.errors[0].statusCode]),
    [
      [false, "ALL_OR_NONE_OPERATION_ROLLED_BACK"],
      [false, "REQUIRED_FIELD_MISSING"],
    ],
  );
  assert.equal(await accounts.count({ Name: "None 1" }), 0);
});

await check("upsert many by an external id", async () => {
  const first = await measurements.upsert([measurement("js-2", 1), measurement("js-3", 2)], "External_Key__c");
  assert.deepEqual(
    first.map((result) => [result.success, result.created]),
    [
      [true, true],
      [true, true],
    ],
  );
  const second = await measurements.upsert([measurement("js-3", 3), measurement("js-4", 4)], "External_Key__c");
  assert.deepEqual(
    second.map((result) => [result.success, result.created]),
    [
      [true, false],
      [true, true],
    ],
  );
  assert.equal(second[0].id, first[1].id);
  assert.equal(await measurements.count({ External_Key__c: ["js-2", "js-3", "js-4"] }), 3);
});

await check("update and destroy what a query finds", async () => {
  await accounts.create([
    { Name: "Found 1", NumberOfEmployees: 1 },
    { Name: "Found 2", NumberOfEmployees: 2 },
  ]);
  const updated = await accounts.find({ Name: { $like: "Found %" } }).update({ Site: "${Name} site" });
  assert.ok(updated.every((result) => result.success));
  const found = await accounts.find({ Name: { $like: "Found %" } }, "Site").sort("Name");
  assert.deepEqual(
    found.map((account) => account.Site),
    ["Found 1 site", "Found 2 site"],
  );
  const destroyed = await accounts.find({ Name: { $like: "Found %" } }).destroy();
  assert.equal(destroyed.length, 2);
});

await check("updated and deleted records of a span of time", async () => {
  const { records } = await connection.query("SELECT Id, CreatedDate FROM Lead ORDER BY CreatedDate DESC LIMIT 1");
  const { id } = await connection.create("Lead", { LastName: "Span", Company: "Time" });
  const end = new Date(Date.parse((await connection.retrieve("Lead", id)).CreatedDate) + 3_600_000);
  const start = new Date(end.getTime() - 2 * 3_600_000);
  const updated = await connection.updated("Lead", start, end);
  assert.ok(updated.ids.includes(id), JSON.stringify(updated));
  assert.ok(!updated.ids.includes(records[0].Id) || Date.parse(records[0].CreatedDate) >= start.getTime());
  await connection.delete("Lead", id);
  const { deletedRecords } = await connection.deleted("Lead", start, end);
  assert.ok(deletedRecords.some((record) => record.id === id));
});
