//! `portcullis audit retain`: what is old is removed, once or by programs that serve.

use anyhow::Result;
use portcullis_store::StoreAudit;
use serde_json::json;

use super::{MEGABYTE, counted};
use crate::activity;
use crate::args::Form;
use crate::home::Session;
use crate::show;

/// Removes what is older than some days, and has programs that serve go on with it where that is asked for.
pub(super) async fn remove(session: &Session, days: u32, daily: bool, form: Form) -> Result<()> {
    let audit = StoreAudit::open(session.store.clone()).await?;
    activity::say_cut_off(audit.cut_off())?;
    let by = session.by();
    let is_new = daily && audit.set_retention(&by, Some(days)).await?;
    let now = jiff::Timestamp::now();
    let retained = audit.retain_as_decided(&by, days, now).await?;
    audit.close().await?;
    let mut sentence = match retained.segments {
        0 => format!("Nothing is older than {days} days in a whole file; nothing was removed."),
        files => format!(
            "{} in {}, {} MB, were removed; the rest is verifiable from there.",
            counted(retained.records, "record"),
            counted(files, "file"),
            retained.bytes / MEGABYTE
        ),
    };
    if daily {
        sentence += " `portcullis serve` does the same at its start and once a day.";
    }
    let value = json!({
        "changed": is_new || retained.segments > 0,
        "daily": daily,
        "segments": retained.segments,
        "records": retained.records,
        "bytes": retained.bytes,
        "keys": retained.keys,
    });
    Ok(show::done(form, &value, &sentence, None)?)
}

/// Has nothing removed any more.
pub(super) async fn never(session: &Session, form: Form) -> Result<()> {
    let audit = StoreAudit::open(session.store.clone()).await?;
    activity::say_cut_off(audit.cut_off())?;
    let is_new = audit.set_retention(&session.by(), None).await?;
    audit.close().await?;
    let sentence = match is_new {
        true => "Nothing of the log is removed any more.",
        false => "Nothing of the log is removed; nothing changed.",
    };
    Ok(show::done(
        form,
        &json!({ "changed": is_new }),
        sentence,
        None,
    )?)
}

/// Says how long the log is kept.
pub(super) async fn say(session: &Session, form: Form) -> Result<()> {
    let log = portcullis_store::Activity::open(session.store.clone()).await?;
    let retention = log.retention().await?;
    let sentence = match &retention {
        Some(it) => format!(
            "`portcullis serve` removes what is older than {} days, at its start and once a day, as `{}` said.",
            it.days, it.person
        ),
        None => {
            "The log is kept for ever: `--days N --daily` has what is older removed.".to_owned()
        }
    };
    let value = json!({
        "days": retention.as_ref().map(|it| it.days),
        "person": retention.as_ref().map(|it| &it.person),
    });
    Ok(show::done(form, &value, &sentence, None)?)
}
