// jsforce: Bulk API 2.0, ingest and query.

import assert from "node:assert/strict";
import { checks } from "../checks.mjs";
import { connect } from "./connection.mjs";

const check = checks("jsforce");
const connection = connect();
connection.bulk2.pollInterval = 50;
connection.bulk2.pollTimeout = 20_000;

/** Loads records as CSV and waits for what became of them. */
const load = (operation, input, more = {}) =>
  connection.bulk2.loadAndWaitForResults({ object: "Lead", operation, input, pollInterval: 50, pollTimeout: 20_000, ...more });

await check("Bulk 2.0: insert, update and delete", async () => {
  const input = Array.from({ length: 300 }, (_, n) => ({ LastName: `Bulk ${n}`, Company: 'Quotes, "and" commas' }));
  const inserted = await load("insert", input);
  assert.deepEqual([inserted.successfulResults.length, inserted.failedResults.length], [300, 0]);
  assert.ok(inserted.successfulResults.every((row) => row.sf__Created === "true" && /^00Q\w{15}$/.test(row.sf__Id)));
  const { records } = await connection.query("SELECT Company FROM Lead WHERE LastName = 'Bulk 7'");
  assert.deepEqual([records.length, records[0].Company], [1, 'Quotes, "and" commas']);

  const ids = inserted.successfulResults.map((row) => row.sf__Id);
  const updated = await load("update", ids.map((Id) => ({ Id, City: "Lyon" })));
  assert.ok(updated.successfulResults.every((row) => row.sf__Created === "false"));
  assert.equal(await connection.sobject("Lead").count({ City: "Lyon", LastName: { $like: "Bulk %" } }), 300);

  const deleted = await load("delete", ids.map((Id) => ({ Id })));
  assert.equal(deleted.successfulResults.length, 300);
  assert.equal(await connection.sobject("Lead").count({ LastName: { $like: "Bulk %" } }), 0);
});

await check("Bulk 2.0: upsert by an external id", async () => {
  const rows = (value) =>
    ["blk-1", "blk-2"].map((key) => ({
      External_Key__c: key,
      Sensor__c: "S-9",
      Taken_At__c: "2026-11-02T00:00:00.000Z",
      Value__c: value,
    }));
  const options = { object: "Measurement__c", externalIdFieldName: "External_Key__c" };
  const first = await load("upsert", rows(1), options);
  assert.deepEqual(first.successfulResults.map((row) => row.sf__Created), ["true", "true"]);
  const second = await load("upsert", rows(2), options);
  assert.deepEqual(second.successfulResults.map((row) => row.sf__Created), ["false", "false"]);
  assert.deepEqual(
    second.successfulResults.map((row) => row.sf__Id),
    first.successfulResults.map((row) => row.sf__Id),
  );
});

await check("Bulk 2.0: what fails is told apart", async () => {
  const { successfulResults, failedResults } = await load("insert", [
    { LastName: "Good", Company: "Row" },
    { LastName: "", Company: "No name" },
  ]);
  assert.deepEqual(successfulResults.map((row) => row.LastName), ["Good"]);
  assert.equal(failedResults.length, 1);
  assert.equal(failedResults[0].sf__Error, "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --");
  assert.equal(failedResults[0].Company, "No name");
});

await check("Bulk 2.0: a job in steps, and one that is aborted", async () => {
  const job = connection.bulk2.createJob({ object: "Lead", operation: "insert", lineEnding: "LF" });
  const opened = await job.open();
  assert.deepEqual([opened.state, opened.contentType, opened.operation], ["Open", "CSV", "insert"]);
  await job.uploadData("LastName,Company\nStep,By step\n");
  await job.close();
  await job.poll(50, 20_000);
  const done = await job.check();
  assert.deepEqual([done.jobType, done.state], ["V2Ingest", "JobComplete"]);
  assert.deepEqual([done.numberRecordsProcessed, done.numberRecordsFailed], [1, 0]);
  assert.equal((await job.getAllResults()).successfulResults[0].LastName, "Step");
  await job.delete();
  await assert.rejects(() => job.check(), { errorCode: "NOT_FOUND" });

  const other = connection.bulk2.createJob({ object: "Lead", operation: "insert" });
  await other.open();
  await other.abort();
  assert.equal((await other.check()).state, "Aborted");
});

await check("Bulk 2.0: query", async () => {
  const stream = await connection.bulk2.query("SELECT Id, Name, Value__c FROM Measurement__c");
  const records = await stream.toArray();
  const { totalSize } = await connection.query("SELECT COUNT() FROM Measurement__c");
  assert.equal(records.length, totalSize);
  assert.ok(totalSize >= 5_000);
  assert.deepEqual(Object.keys(records[0]), ["Id", "Name", "Value__c"]);
  assert.equal(new Set(records.map((record) => record.Id)).size, totalSize);
  await assert.rejects(() => connection.bulk2.query("SELECT Nothing FROM Lead"), { errorCode: /INVALID_?FIELD|API_ERROR/ });
});
