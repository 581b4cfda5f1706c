//! Jobs that write: their data, and what becomes of each row.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V};

pub(crate) const JOBS: &str = "/services/data/v68.0/jobs/ingest";

impl Api {
    pub(crate) async fn make_job(&self, job: &Json) -> Answer {
        self.send_json("POST", JOBS, job).await
    }

    pub(crate) async fn put(&self, id: &str, data: &[u8]) -> Answer {
        let headers = [("content-type", "text/csv; charset=UTF-8")];
        let path = format!("{JOBS}/{id}/batches");
        self.send("PUT", &path, &headers, data.to_vec()).await
    }

    pub(crate) async fn set_state(&self, path: &str, state: &str) -> Answer {
        self.send_json("PATCH", path, &json!({"state": state}))
            .await
    }

    /// Waits until nothing happens to a job any more, and gives it.
    pub(crate) async fn ended(&self, path: &str) -> Json {
        loop {
            let job = self.get(path).await.json();
            if ["JobComplete", "Failed", "Aborted"].contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Runs a job from its beginning to its end.
    pub(crate) async fn run(&self, job: &Json, data: &[u8]) -> Run {
        let made = self.make_job(job).await;
        assert_eq!(made.status, 200, "{made:?}");
        let id = made.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(self.put(&id, data).await.status, 201);
        let path = format!("{JOBS}/{id}");
        let closed = self.set_state(&path, "UploadComplete").await;
        assert_eq!(
            (closed.status, &closed.json()["state"]),
            (200, &json!("UploadComplete"))
        );
        let job = self.ended(&path).await;
        let mut results = Vec::new();
        for name in ["successfulResults", "failedResults", "unprocessedrecords"] {
            let answer = self.get(&format!("{path}/{name}")).await;
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (200, "text/csv")
            );
            results.push(answer.text);
        }
        let [successful, failed, unprocessed] = results.try_into().unwrap();
        Run {
            path,
            job,
            successful,
            failed,
            unprocessed,
        }
    }
}

pub(crate) struct Run {
    pub(crate) path: String,
    pub(crate) job: Json,
    successful: String,
    failed: String,
    unprocessed: String,
}

impl Run {
    /// Gives the ids of the rows that came through.
    fn ids(&self) -> Vec<String> {
        let rows = csv::Reader::from_reader(self.successful.as_bytes()).into_records();
        rows.map(|row| row.unwrap()[0].to_owned()).collect()
    }

    fn numbers(&self) -> (u64, u64) {
        let number = |name: &str| self.job[name].as_u64().unwrap();
        (
            number("numberRecordsProcessed"),
            number("numberRecordsFailed"),
        )
    }
}

#[tokio::test]
async fn records_are_made_changed_and_deleted() {
    let api = Api::new().await;
    let data = "name,Industry,numberofEmployees,Owner.Username\n\
                \"Bulk, \"\"One\"\"\",Energy,7,\n\
                Bulk Two,#N/A,x,\n\
                ,Energy,,\n\
                Bulk Three,,,nobody@devorg.example\n\
                \"Bulk\nFour\",,3\n";
    let made = api
        .run(
            &json!({"object": "account", "operation": "insert", "contentType": "CSV"}),
            data.as_bytes(),
        )
        .await;
    assert_eq!(
        (&made.job["state"], made.numbers()),
        (&json!("JobComplete"), (5, 3)),
        "{}",
        made.failed
    );
    let ids = made.ids();
    let expected = format!(
        "sf__Id,sf__Created,name,Industry,numberofEmployees,Owner.Username\n\
         {},true,\"Bulk, \"\"One\"\"\",Energy,7,\n{},true,\"Bulk\nFour\",,3,\n",
        ids[0], ids[1]
    );
    assert_eq!(made.successful, expected);
    insta::assert_snapshot!(made.failed, @r#"
    sf__Id,sf__Error,name,Industry,numberofEmployees,Owner.Username
    ,INVALID_TYPE_ON_FIELD_IN_RECORD:NumberOfEmployees: value not of required type: x:NumberOfEmployees --,Bulk Two,#N/A,x,
    ,REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --,,Energy,,
    ,INVALID_FIELD:Foreign key external ID: nobody@devorg.example not found for field Username in entity User:--,Bulk Three,,,nobody@devorg.example
    "#);
    assert_eq!(
        made.unprocessed,
        "name,Industry,numberofEmployees,Owner.Username\n"
    );
    let record = api
        .get(&format!("{V}/sobjects/Account/{}", ids[0]))
        .await
        .json();
    assert_eq!(
        (&record["Name"], &record["NumberOfEmployees"]),
        (&json!("Bulk, \"One\""), &json!(7))
    );

    // Empty says nothing, `#N/A` that there is nothing; ids come in either form.
    let owner = &api.org.users()[1];
    let short = ids[0].get(..15).unwrap();
    let data = format!(
        "ID|INDUSTRY|Name|Owner.Username\r\n{short}|#N/A||{}\r\n001DO0000000zzz|||\r\nx|||\r\n|||\r\n003DO0000000001|||\r\n",
        owner.username
    );
    let job = json!({"object": "Account", "operation": "update", "columnDelimiter": "PIPE", "lineEnding": "CRLF"});
    let changed = api.run(&job, data.as_bytes()).await;
    assert_eq!(changed.numbers(), (5, 4));
    assert_eq!(
        changed.successful,
        format!(
            "sf__Id|sf__Created|ID|INDUSTRY|Name|Owner.Username\r\n{}|false|{short}|#N/A||{}\r\n",
            ids[0], owner.username
        )
    );
    insta::assert_snapshot!(changed.failed.replace('\r', ""), @"
    sf__Id|sf__Error|ID|INDUSTRY|Name|Owner.Username
    001DO0000000zzzYAA|INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--|001DO0000000zzz|||
    x|MALFORMED_ID:Account ID: id value of incorrect type: x:Id --|x|||
    |MISSING_ARGUMENT:Id not specified in an update call:Id --||||
    003DO0000000001YAA|MALFORMED_ID:Account ID: id value of incorrect type: 003DO0000000001:Id --|003DO0000000001|||
    ");
    let record = api
        .get(&format!("{V}/sobjects/Account/{}", ids[0]))
        .await
        .json();
    assert_eq!(
        (&record["Industry"], &record["OwnerId"]),
        (&json!(null), &json!(owner.id().as_str()))
    );
    assert_eq!(record["Name"], "Bulk, \"One\"");

    for (operation, kept) in [("delete", 1), ("hardDelete", 0)] {
        let id = api
            .run(
                &json!({"object": "Account", "operation": "insert"}),
                b"Name\nGone\n",
            )
            .await
            .ids()
            .remove(0);
        let deleted = api
            .run(
                &json!({"object": "Account", "operation": operation}),
                format!("Id\n{id}\n{id}\n").as_bytes(),
            )
            .await;
        assert_eq!(deleted.numbers(), (2, 1), "{}", deleted.failed);
        assert!(deleted.successful.ends_with(&format!("{id},false,{id}\n")));
        let all = format!("{V}/queryAll?q=SELECT+Id+FROM+Account+WHERE+Id='{id}'");
        assert_eq!(api.get(&all).await.json()["totalSize"], kept);
    }
}

#[tokio::test]
async fn an_upsert_finds_or_makes() {
    let api = Api::new().await;
    let job = json!({"object": "Measurement__c", "operation": "upsert", "externalIdFieldName": "external_key__C", "columnDelimiter": "SEMICOLON"});
    let data = "External_Key__c;Sensor__c;Taken_At__c;Value__c;Account__r.Id\n\
                s-001/0000;S-1;;5;\n\
                new;S-2;2026-11-23T08:00:00Z;1.5;001DO0000000001\n\
                ;S-3;2026-11-23T08:00:00Z;1;\n\
                twice;S-4;2026-11-23T08:00:00Z;1;\n\
                TWICE;S-5;2026-11-23T08:00:00Z;1;\n\
                other;S-6;;1;\n";
    let run = api.run(&job, data.as_bytes()).await;
    assert_eq!(run.job["externalIdFieldName"], "External_Key__c");
    assert_eq!(run.numbers(), (6, 4));
    let created: Vec<&str> = run
        .successful
        .lines()
        .skip(1)
        .map(|row| row.split(';').nth(1).unwrap())
        .collect();
    assert_eq!(created, ["false", "true"]);
    insta::assert_snapshot!(run.failed, @"
    sf__Id;sf__Error;External_Key__c;Sensor__c;Taken_At__c;Value__c;Account__r.Id
    ;MISSING_ARGUMENT:External_Key__c not specified:External_Key__c --;;S-3;2026-11-23T08:00:00Z;1;
    ;DUPLICATE_VALUE:Duplicate external id specified: twice:External_Key__c --;twice;S-4;2026-11-23T08:00:00Z;1;
    ;DUPLICATE_VALUE:Duplicate external id specified: TWICE:External_Key__c --;TWICE;S-5;2026-11-23T08:00:00Z;1;
    ;REQUIRED_FIELD_MISSING:Required fields are missing: [Taken_At__c]:Taken_At__c --;other;S-6;;1;
    ");
    let new = api
        .get(&format!("{V}/sobjects/Measurement__c/External_Key__c/new"))
        .await
        .json();
    assert_eq!(
        (&new["Value__c"], &new["Account__c"]),
        (&json!(1.5), &json!("001DO0000000001YAA"))
    );
    let old = api
        .get(&format!(
            "{V}/sobjects/Measurement__c/External_Key__c/s-001%2F0000"
        ))
        .await
        .json();
    assert_eq!(
        (&old["Value__c"], &old["Sensor__c"]),
        (&json!(5.0), &json!("S-1"))
    );

    // Owners of leads are people or queues, so that their kind is said; checkboxes have several words.
    let lead = json!({"object": "Lead", "operation": "insert"});
    let data = format!(
        "LastName,Company,User:Owner.Username,IsUnreadByOwner\nA,B,{},TRUE\nC,D,,0\n",
        api.org.users()[3].username
    );
    let run = api.run(&lead, data.as_bytes()).await;
    assert_eq!(run.numbers(), (2, 0), "{}", run.failed);
    let made = api
        .get(&format!("{V}/sobjects/Lead/{}", run.ids()[0]))
        .await
        .json();
    assert_eq!(
        (&made["OwnerId"], &made["IsUnreadByOwner"]),
        (&json!(api.org.users()[3].id().as_str()), &json!(true))
    );
}

#[tokio::test]
async fn data_that_cannot_be_read_fails_the_job() {
    let api = Api::new().await;
    for (object, operation, data, error) in [
        (
            "Account",
            "insert",
            "Name,Nmae\nx,y\n",
            "InvalidBatch : Field name not found : Nmae",
        ),
        (
            "Account",
            "insert",
            "Name,Own.Username\nx,y\n",
            "InvalidBatch : Field name not found : Own.Username",
        ),
        (
            "Account",
            "insert",
            "Name,Owner.Title\nx,y\n",
            "InvalidBatch : Field name not found : Owner.Title",
        ),
        (
            "Account",
            "insert",
            "Name,User:Owner.Username\nx,y\n",
            "InvalidBatch : type is not needed for non polymorphic foreign key references: Owner",
        ),
        (
            "Lead",
            "insert",
            "Owner.Username\ny\n",
            "InvalidBatch : type is needed for polymorphic foreign key references: Owner",
        ),
        (
            "Lead",
            "insert",
            "Case:Owner.Username\ny\n",
            "InvalidBatch : Field name not found : Case:Owner.Username",
        ),
        (
            "Account",
            "update",
            "Name\nx\n",
            "InvalidBatch : Field name not found : Id",
        ),
        (
            "Account",
            "delete",
            "Id,Name\nx,y\n",
            "InvalidBatch : Only Id can be specified for delete",
        ),
        (
            "Account",
            "insert",
            "Name\r\nx\r\n",
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
        (
            "Account",
            "insert",
            "Name\nx,y\n",
            "InvalidBatch : The number of columns of row 2 exceeds that of the header",
        ),
    ] {
        let run = api
            .run(
                &json!({"object": object, "operation": operation}),
                data.as_bytes(),
            )
            .await;
        assert_eq!(
            (&run.job["state"], &run.job["errorMessage"]),
            (&json!("Failed"), &json!(error)),
            "{data}"
        );
        assert_eq!(run.numbers(), (0, 0));
        api.set_state(&run.path, "Aborted")
            .await
            .assert_error(400, "INVALIDJOBSTATE");
    }
    let run = api
        .run(
            &json!({"object": "Account", "operation": "insert"}),
            b"Name\n\xFF\n",
        )
        .await;
    assert_eq!(
        run.job["errorMessage"],
        "ClientInputError : line 2 is not UTF-8"
    );
    for data in ["", "Name\n"] {
        let run = api
            .run(
                &json!({"object": "Account", "operation": "insert"}),
                data.as_bytes(),
            )
            .await;
        assert_eq!(
            (&run.job["state"], run.numbers()),
            (&json!("JobComplete"), (0, 0))
        );
        assert!(run.successful.starts_with("sf__Id,sf__Created"));
    }
}

/// Whatever a text is, it comes through every format, to the record and to the results.
#[test]
fn texts_come_through_every_format() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let api = runtime.block_on(Api::new());
    let delimiters = [
        ("BACKQUOTE", b'`'),
        ("CARET", b'^'),
        ("COMMA", b','),
        ("PIPE", b'|'),
        ("SEMICOLON", b';'),
        ("TAB", b'\t'),
    ];
    let config = ProptestConfig {
        cases: 4,
        ..ProptestConfig::default()
    };
    proptest!(config, |(texts in prop::collection::vec("[a-zé\"`^,|;][a-zé\"`^,|;\t\r\n #/]{0,20}[a-z]", 1..4))| {
        for (delimiter, byte) in delimiters {
            for (ending, terminator) in [("LF", csv::Terminator::Any(b'\n')), ("CRLF", csv::Terminator::CRLF)] {
                let mut writer = csv::WriterBuilder::new().delimiter(byte).terminator(terminator).from_writer(Vec::new());
                writer.write_record(["Description", "Name"]).unwrap();
                for text in &texts {
                    writer.write_record([text, "Round trip"]).unwrap();
                }
                let data = writer.into_inner().unwrap();
                let job = json!({"object": "Account", "operation": "insert", "columnDelimiter": delimiter, "lineEnding": ending});
                let run = runtime.block_on(api.run(&job, &data));
                assert_eq!(run.numbers(), (texts.len() as u64, 0), "{} {}", run.failed, run.job);
                let reader = csv::ReaderBuilder::new().delimiter(byte).from_reader(run.successful.as_bytes()).into_records();
                for (row, text) in reader.zip(&texts) {
                    let row = row.unwrap();
                    assert_eq!(&row[2], text);
                    let record = runtime.block_on(api.get(&format!("{V}/sobjects/Account/{}", &row[0]))).json();
                    assert_eq!(record["Description"], json!(text));
                }
            }
        }
    });
}
