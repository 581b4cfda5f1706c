//! `--state FILE`: an org that is stopped, or killed, goes on as it was.

use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use salesforce_devorg::error::{StartError, StateFileError};
use salesforce_devorg::{AppState, DevOrg, Options};
use serde_json::{Value as Json, json};

use crate::client::{Api, V};
use crate::process::{Running, kill, run};

/// How often the org is killed, and by `just soak`.
const KILLS: usize = 5;
const KILLS_VARIABLE: &str = "DEVORG_KILLS";

/// How many clients write while it is.
const WRITERS: usize = 4;

async fn org_in(file: &Path) -> Api {
    let state = Some(file.to_owned());
    Api::with(Options {
        state,
        ..Options::default()
    })
    .await
}

/// Gives every record of an object, deleted ones too, with every field.
async fn all(api: &Api, object: &str) -> Vec<Json> {
    let mut rows = Vec::new();
    let soql = format!("SELECT FIELDS(STANDARD) FROM {object} ORDER BY Id");
    let query = crate::client::query(&[("q", &soql)]);
    let mut next = Some(format!("{V}/queryAll?{query}"));
    while let Some(path) = next {
        let answer = api.get(&path).await;
        assert_eq!(answer.status, 200, "{object}: {answer:?}");
        let page = answer.json();
        rows.extend(page["records"].as_array().unwrap().iter().cloned());
        next = page["nextRecordsUrl"].as_str().map(str::to_owned);
    }
    rows
}

const OBJECTS: [&str; 10] = [
    "Account",
    "Campaign",
    "Contact",
    "Opportunity",
    "Case",
    "Task",
    "User",
    "ContentVersion",
    "ProcessInstance",
    "RecentlyViewed",
];

#[tokio::test]
async fn an_org_goes_on_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("org.sqlite");
    let api = org_in(&file).await;
    let made = |name: &str| json!({"Name": name, "NumberOfEmployees": 7, "AnnualRevenue": 12.0});
    let create = async |api: &Api, name: &str| {
        let path = format!("{V}/sobjects/Account");
        let answer = api.send_json("POST", &path, &made(name)).await.json();
        answer["id"].as_str().unwrap().to_owned()
    };
    let (kept, changed) = (create(&api, "Kept").await, create(&api, "Old").await);
    let with_children = api
        .rows("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) AND Id NOT IN (SELECT AccountId FROM Case) LIMIT 1")
        .await[0]["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    let of = |id: &str| format!("{V}/sobjects/Account/{id}");
    let new_name = json!({"Name": "New"});
    assert_eq!(
        api.send_json("PATCH", &of(&changed), &new_name)
            .await
            .status,
        204
    );
    assert_eq!(
        api.send("DELETE", &of(&with_children), &[], "")
            .await
            .status,
        204
    );
    let file_made = json!({"PathOnClient": "a.txt", "VersionData": "aGVsbG8="});
    let path = format!("{V}/sobjects/ContentVersion");
    let version = api.send_json("POST", &path, &file_made).await.json();
    let bytes = format!("{path}/{}/VersionData", version["id"].as_str().unwrap());
    api.rows(&format!(
        "SELECT Id FROM Account WHERE Id = '{kept}' FOR VIEW"
    ))
    .await;
    // What is refused as a whole leaves nothing, in the file neither.
    let refused = json!({"allOrNone": true, "records": [
        {"attributes": {"type": "Account"}, "Name": "Half"},
        {"attributes": {"type": "Account"}},
    ]});
    api.send_json("POST", &format!("{V}/composite/sobjects"), &refused)
        .await;
    // Tokens: one is new, one is revoked, one has expired.
    let (client_id, secret) = (
        api.org.client_id().to_owned(),
        api.org.client_secret().to_owned(),
    );
    let users = api.org.users().to_vec();
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &users[0].refresh_token),
        ("client_id", &client_id),
        ("client_secret", &secret),
    ];
    let fresh = api
        .post_form("/services/oauth2/token", &refresh)
        .await
        .json();
    let fresh = fresh["access_token"].as_str().unwrap().to_owned();
    assert!(api.org.revoke(&users[1].refresh_token));
    assert!(api.org.expire_session(&users[2].access_token));
    assert!(
        api.org
            .set_app_state("Uninstalled Client", AppState::Blocked)
    );
    let mut before = Vec::new();
    for object in OBJECTS {
        before.push(all(&api, object).await);
    }
    let now = api.org.now();
    api.org.stop().await;

    let mut api = org_in(&file).await;
    assert_eq!(api.org.now(), now);
    for (object, before) in OBJECTS.iter().zip(before) {
        assert!(!before.is_empty(), "{object}");
        let after = all(&api, object).await;
        assert_eq!(after.len(), before.len(), "{object}");
        for (after, before) in after.iter().zip(&before) {
            assert_eq!(after, before);
        }
    }
    let after = api.org.users();
    assert_eq!(
        (api.org.client_id(), api.org.client_secret()),
        (&*client_id, &*secret)
    );
    let same = |at: usize| {
        let (before, after): (&salesforce_devorg::DevUser, _) = (&users[at], &after[at]);
        assert_eq!(
            (&before.username, &before.password),
            (&after.username, &after.password)
        );
        before.access_token == after.access_token && before.refresh_token == after.refresh_token
    };
    assert_eq!([0, 1, 2, 3].map(same), [true, false, false, true]);
    let apps = api.org.apps();
    let blocked = apps.iter().find(|app| app.name == "Uninstalled Client");
    assert_eq!(blocked.unwrap().state, AppState::Blocked);

    // It goes on: ids after the last, the recycle bin with all that went along, the tokens.
    let next = create(&api, "Next").await;
    assert!(next > changed, "{next} {changed}");
    assert_eq!(api.get(&bytes).await.text, "hello");
    for (token, status) in [
        (&fresh, 200),
        (&users[1].access_token, 401),
        (&users[2].access_token, 401),
        (&after_token(&api, 1), 200),
    ] {
        api.token.clone_from(token);
        assert_eq!(api.get(&of(&kept)).await.status, status, "{token}");
    }
    api.token.clone_from(&fresh);
    let contacts = format!("SELECT Id FROM Contact WHERE AccountId = '{with_children}'");
    assert_eq!(api.rows(&contacts).await.len(), 0);
    let envelope = format!(
        r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><soapenv:Header><SessionHeader><sessionId>{fresh}</sessionId></SessionHeader></soapenv:Header><soapenv:Body><undelete><ids>{with_children}</ids></undelete></soapenv:Body></soapenv:Envelope>"#
    );
    let headers = [("content-type", "text/xml"), ("soapaction", "\"\"")];
    let undeleted = api
        .send("POST", "/services/Soap/u/64.0", &headers, envelope)
        .await;
    assert!(
        undeleted.text.contains("<success>true</success>"),
        "{undeleted:?}"
    );
    assert!(!api.rows(&contacts).await.is_empty());
}

fn after_token(api: &Api, user: usize) -> String {
    api.org.users()[user].access_token.clone()
}

/// Gives what answers say of jobs, without how long they took.
async fn jobs_of(api: &Api, written: &str, read: &str, waiting: &str, batch: &str) -> Vec<String> {
    let mut answers = Vec::new();
    for path in [
        format!("{written}/successfulResults"),
        format!("{written}/failedResults"),
        format!("{read}/results"),
    ] {
        answers.push(api.get(&path).await.text);
    }
    for path in [written, read, waiting] {
        let mut job = api.get(path).await.json();
        for took in ["totalProcessingTime", "apiActiveProcessingTime"] {
            job.as_object_mut().unwrap().remove(took);
        }
        answers.push(job.to_string());
    }
    answers.push(api.classic("GET", batch, "").await.text);
    let result = format!("{batch}/result");
    answers.push(api.classic("GET", &result, "").await.text);
    answers
}

#[tokio::test]
async fn jobs_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("org.sqlite");
    let api = org_in(&file).await;
    let job = json!({"object": "Account", "operation": "insert"});
    let id = api
        .run(&job, b"Name,Website\nOne,\n,https://none.example\n")
        .await
        .job["id"]
        .clone();
    let written = format!("{}/{}", crate::bulk_ingest::JOBS, id.as_str().unwrap());
    let soql = "SELECT Id, Name, CreatedDate FROM Account LIMIT 3";
    let (read, _) = api
        .run_query(json!({"operation": "query", "query": soql}))
        .await;
    let open = api.make_job(&job).await.json();
    let waiting = format!(
        "{}/{}",
        crate::bulk_ingest::JOBS,
        open["id"].as_str().unwrap()
    );
    let older = json!({"object": "Account", "operation": "insert", "contentType": "JSON"});
    let (batch, _) = api.batch(older, r#"[{"Name": "Two"}, {}]"#).await;
    let before = jobs_of(&api, &written, &read, &waiting, &batch).await;
    api.org.stop().await;

    let api = org_in(&file).await;
    let after = jobs_of(&api, &written, &read, &waiting, &batch).await;
    assert_eq!(after, before);
    // The one that waits takes its data, and the next has an id of its own.
    let id = open["id"].as_str().unwrap();
    assert_eq!(api.put(id, b"Name\nThree\n").await.status, 201);
    api.set_state(&waiting, "UploadComplete").await;
    assert_eq!(api.ended(&waiting).await["numberRecordsProcessed"], 1);
    let next = api.make_job(&job).await.json();
    assert!(next["id"].as_str().unwrap() > id);
}

#[tokio::test]
async fn days_pass_while_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |today: &str| {
        DevOrg::start(Options {
            today: Some(today.parse().unwrap()),
            state: Some(folder.path().join("org.sqlite")),
            ..Options::default()
        })
        .await
    };
    start("2026-11-23").await.unwrap().stop().await;
    let later = start("2026-11-25").await.unwrap();
    assert_eq!(later.now().to_string(), "2026-11-25T12:00:00Z");
    later.stop().await;
    let earlier = start("2026-11-24").await.unwrap_err();
    let StartError::StateFile { reason, .. } = earlier else {
        unreachable!("{earlier}");
    };
    assert!(matches!(reason, StateFileError::Today { today } if today.to_string() == "2026-11-25"));
}

#[test]
fn an_org_whose_time_went_is_not_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("org.sqlite");
    let state = ["--state", path.to_str().unwrap()];
    let account = |running: &Running| {
        let made = running.send("POST", &format!("{V}/sobjects/Account"), r#"{"Name": "x"}"#);
        assert_eq!(made.unwrap().0, 201);
    };
    let running = Running::start(&state);
    account(&running);
    running.stop();
    let today = jiff::tz::TimeZone::UTC
        .to_datetime(jiff::Timestamp::now())
        .date();
    let day = |days: i64| (today + jiff::Span::new().days(days)).to_string();
    let at = |today: i64| {
        run(&[state[0], state[1], "--today", &day(today)])
            .status
            .code()
    };
    assert_eq!(at(-1), Some(2));
    // Ahead of the machine's time it goes on from there, and each change is later than the one before.
    Running::start(&[state[0], state[1], "--today", &day(90)]).stop();
    let running = Running::start(&state);
    account(&running);
    account(&running);
    let soql = "SELECT+CreatedDate+FROM+Account+ORDER+BY+CreatedDate+DESC+LIMIT+2";
    let (_, rows) = running
        .send("GET", &format!("{V}/query?q={soql}"), "")
        .unwrap();
    let rows: Json = serde_json::from_str(&rows).unwrap();
    let created = |row: usize| rows["records"][row]["CreatedDate"].as_str().unwrap();
    assert!(
        created(0) > created(1) && created(1).starts_with(&day(90)),
        "{rows}"
    );
    running.stop();
    assert_eq!(at(30), Some(2));
}

#[cfg(unix)]
#[tokio::test]
async fn tokens_are_for_the_owner_of_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("org.sqlite");
    // Somebody made it before, for all to read.
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let api = org_in(&file).await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
    api.org.stop().await;
}

#[test]
fn an_app_stays_as_it_was_unless_the_start_says_how_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("org.sqlite");
    let state = ["--state", path.to_str().unwrap(), "--admin"];
    let app = |more: &[&str]| {
        let running = Running::start(&[&state[..], more].concat());
        let (_, body) = running.send_to_admin("GET", "/apps").unwrap();
        running.stop();
        let apps: Json = serde_json::from_str(&body).unwrap_or_else(|_| unreachable!("{body}"));
        apps[0]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(app(&[]), "ready");
    assert_eq!(app(&["--app-state", "blocked"]), "blocked");
    assert_eq!(app(&[]), "blocked");
    assert_eq!(app(&["--app-state", "ready"]), "ready");
    assert_eq!(app(&[]), "ready");
}

#[test]
fn a_file_that_is_none_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("text"), "a diary, of which there is one copy").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    let running = Running::start(&["--state", &path("taken"), "--today", "2026-11-23"]);
    let mut sentences = String::new();
    for (name, today, code) in [
        ("text", "2026-11-23", 2),
        ("taken", "2026-11-23", 1),
        (".", "2026-11-23", 2),
        ("nowhere/file", "2026-11-23", 2),
    ] {
        let output = run(&["--state", &path(name), "--today", today]);
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words}");
        assert!(output.stdout.is_empty());
        sentences += &words.replace(folder.path().to_str().unwrap(), "…");
    }
    running.stop();
    let output = run(&["--state", &path("taken"), "--today", "2026-11-22"]);
    assert_eq!(output.status.code(), Some(2));
    sentences += &String::from_utf8(output.stderr)
        .unwrap()
        .replace(folder.path().to_str().unwrap(), "…");
    insta::assert_snapshot!(sentences, @"
    error: `--state …/text` is no state file of an org; choose another name for a new one
    error: `--state …/taken` is used by another org that runs; stop that one, or choose another name for a new file
    error: `--state …/.` is a folder; name a file in it, such as `…/./org.sqlite`
    error: `--state …/nowhere/file` would be made in `…/nowhere`, and there is no such folder; make it first
    error: `--state …/taken` keeps an org whose today is 2026-11-23 already; say that day or a later one, or none
    ");
    assert_eq!(
        std::fs::read_to_string(path("text")).unwrap(),
        "a diary, of which there is one copy"
    );
    // A database of somebody else's: ours, but for what says so.
    Running::start(&["--state", &path("empty")]).stop();
    let mut other = std::fs::read(path("empty")).unwrap();
    other[68..72].copy_from_slice(b"else");
    std::fs::write(path("other"), &other).unwrap();
    let output = run(&["--state", &path("other")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        std::fs::read(path("other")).unwrap() == other,
        "it was changed"
    );
    Running::start(&["--state", &path("taken")]).stop();
}

/// Writes pairs of an account and its contact, each whole or not at all, until the org is gone, and
/// gives the names whose answer said that they are there.
fn write_pairs(running: &Running, writer: usize, round: usize) -> Vec<String> {
    let mut answered = Vec::new();
    for number in 0.. {
        let name = format!("Pair {round} {writer} {number}");
        let request = json!({"allOrNone": true, "compositeRequest": [
            {"method": "POST", "url": format!("{V}/sobjects/Account"), "referenceId": "a",
             "body": {"Name": name}},
            {"method": "POST", "url": format!("{V}/sobjects/Contact"), "referenceId": "c",
             "body": {"LastName": name, "AccountId": "@{a.id}"}},
        ]});
        let answer = running.send("POST", &format!("{V}/composite"), &request.to_string());
        match answer {
            Ok((200, body)) if body.matches("\"success\":true").count() == 2 => answered.push(name),
            Ok(other) => unreachable!("{other:?}"),
            Err(_) => break,
        }
    }
    answered
}

#[test]
fn a_killed_org_has_what_it_answered_and_nothing_by_half() {
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("org.sqlite");
    let arguments = ["--state", file.to_str().unwrap()];
    let mut running = Running::start(&arguments);
    let mut answered: Vec<String> = Vec::new();
    for round in 0..kills {
        let done = Mutex::new(Vec::new());
        let pid = running.pid();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (running, done) = (&running, &done);
                scope.spawn(move || {
                    let pairs = write_pairs(running, writer, round);
                    done.lock().unwrap().extend(pairs);
                });
            }
            // At another moment each time.
            thread::sleep(Duration::from_millis(20 + (round as u64 * 37) % 150));
            kill(pid);
        });
        answered.extend(done.into_inner().unwrap());
        drop(running);
        running = Running::start(&arguments);
        let names = |soql: &str| -> Vec<String> {
            let query = crate::client::query(&[("q", soql)]);
            let (status, body) = running
                .send("GET", &format!("{V}/query?{query}"), "")
                .unwrap();
            assert_eq!(status, 200, "{body}");
            let answer: Json = serde_json::from_str(&body).unwrap();
            let rows = answer["records"].as_array().unwrap();
            assert_eq!(
                rows.len() as u64,
                answer["totalSize"].as_u64().unwrap(),
                "one page"
            );
            let name = |row: &Json| row["Name"].as_str().unwrap().to_owned();
            rows.iter().map(name).collect()
        };
        let like = format!("LIKE 'Pair {round} %'");
        let accounts = names(&format!(
            "SELECT Name FROM Account WHERE Name {like} ORDER BY Name"
        ));
        let contacts = names(&format!(
            "SELECT Name FROM Contact WHERE Name {like} AND Account.Name {like} ORDER BY Name"
        ));
        assert_eq!(
            accounts, contacts,
            "an account without its contact, or the other way round"
        );
        for name in answered
            .iter()
            .filter(|name| name.starts_with(&format!("Pair {round} ")))
        {
            assert!(accounts.contains(name), "{name} was answered and is gone");
        }
    }
    assert!(answered.len() >= kills, "nothing was written: {answered:?}");
    let (status, _) = running.send("GET", V, "").unwrap();
    assert_eq!(status, 200);
}

#[test]
fn a_job_that_was_broken_off_says_what_was_done() {
    const ROWS: usize = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("org.sqlite");
    let arguments = ["--state", file.to_str().unwrap()];
    let mut running = Running::start(&arguments);
    let json = |answer: (u16, String)| -> Json {
        assert!((200..300).contains(&answer.0), "{answer:?}");
        serde_json::from_str(&answer.1).unwrap_or_default()
    };
    let job = r#"{"object": "Account", "operation": "insert"}"#;
    let made = running.send("POST", crate::bulk_ingest::JOBS, job).unwrap();
    let id = json(made)["id"].as_str().unwrap().to_owned();
    let path = format!("{}/{id}", crate::bulk_ingest::JOBS);
    let rows: String = (0..ROWS).map(|row| format!("Broken off,{row}\n")).collect();
    let data = format!("Name,Description\n{rows}");
    json(running.upload(&format!("{path}/batches"), &data).unwrap());
    let complete = r#"{"state": "UploadComplete"}"#;
    json(running.send("PATCH", &path, complete).unwrap());
    let done = |job: &Json| job["numberRecordsProcessed"].as_u64().unwrap();
    let mut told = 0;
    while told < 600 {
        told = done(&json(running.send("GET", &path, "").unwrap()));
    }
    kill(running.pid());
    drop(running);
    running = Running::start(&arguments);
    let job = json(running.send("GET", &path, "").unwrap());
    assert_eq!(job["state"], "Failed", "{job}");
    let soql = "SELECT COUNT() FROM Account WHERE Name = 'Broken off'";
    let query = crate::client::query(&[("q", soql)]);
    let found = json(
        running
            .send("GET", &format!("{V}/query?{query}"), "")
            .unwrap(),
    );
    assert_eq!(found["totalSize"], done(&job), "{job}");
    assert!(done(&job) >= told && done(&job) < ROWS as u64, "{job}");
    let lines = |results: &str| {
        let (status, csv) = running
            .send("GET", &format!("{path}/{results}"), "")
            .unwrap();
        assert_eq!(status, 200, "{csv}");
        assert!(csv.lines().next().unwrap().contains("Name"), "no header");
        csv.lines().count() as u64 - 1
    };
    assert_eq!(lines("successfulResults"), done(&job));
    assert_eq!(lines("unprocessedrecords"), ROWS as u64 - done(&job));
    assert_eq!(lines("failedResults"), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_told_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("org.sqlite");
    let arguments = ["--state", file.to_str().unwrap()];
    let running = Running::with_limits(&arguments);
    let create = |name: &str| {
        let account = json!({"Name": name, "Description": "x".repeat(30_000)});
        let path = format!("{V}/sobjects/Account");
        running.send("POST", &path, &account.to_string()).unwrap()
    };
    assert_eq!(create("First").0, 201);
    // No file of the program may grow any more.
    running.bound_files("4096");
    for attempt in ["Second", "Third"] {
        let (status, body) = create(attempt);
        assert_eq!(status, 500, "{body}");
        let error: Json = serde_json::from_str(&body).unwrap();
        assert_eq!(error[0]["errorCode"], "UNKNOWN_EXCEPTION");
        let message = error[0]["message"].as_str().unwrap();
        assert!(message.contains("org.sqlite"), "{message}");
    }
    running.bound_files("unlimited");
    assert_eq!(create("Fourth").0, 201);
    kill(running.pid());
    drop(running);
    let again = Running::start(&arguments);
    let soql = "SELECT Name FROM Account WHERE Name IN ('First', 'Second', 'Third', 'Fourth')";
    let query = crate::client::query(&[("q", soql)]);
    let (_, body) = again
        .send("GET", &format!("{V}/query?{query}"), "")
        .unwrap();
    let answer: Json = serde_json::from_str(&body).unwrap();
    assert_eq!(
        answer["totalSize"], 4,
        "what was told of was done, and is kept with the next"
    );
}
