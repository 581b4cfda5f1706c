//! `portcullis connector accept`: an administrator sees in what the version that waits reaches farther, and has it in use.

use anyhow::Result;
use portcullis::ComponentCache;
use serde_json::{Value, json};

use super::{
    Bench, Trust, deciding, require_known, unusable, waiting, widenings_json, write_widenings,
};
use crate::agent;
use crate::approvals;
use crate::args::connector::Accept;
use crate::catalog;
use crate::home::Home;
use crate::keyboard;
use crate::problem::Problem;
use crate::show;

/// Accepts the version that waits.
pub(super) async fn run(args: &Accept, home: &Home, cache: ComponentCache) -> Result<()> {
    let (name, form) = (&args.connector, args.form);
    let bench = Bench::open(home, cache).await?;
    let versions = bench.versions(name).await?;
    require_known(&bench, name, &versions).await?;
    let Some(version) = waiting(&versions) else {
        let message = format!("no version of `{name}` waits to be accepted");
        let hint = "`portcullis connector list` lists the versions";
        return Err(Problem::mistake("nothing_waits", message, hint).into());
    };
    let digest = version.digest;
    if let Some(wanted) = args.digest.filter(|wanted| *wanted != digest) {
        let message = format!("the version of `{name}` that waits is {digest}, and not {wanted}");
        let hint = format!("`portcullis connector accept {name}` shows what it may do");
        return Err(Problem::mistake("other_version", message, hint).into());
    }
    let inspected = bench.inspect(name, digest).await.map_err(|error| {
        let hint = format!("install it again, or `portcullis connector remove {name} --waiting`");
        unusable(name, digest, &error, hint)
    })?;
    let in_use = bench.in_use(name).await?;
    let widenings = in_use.widened_by(&inspected);
    let trust = Trust::of(bench.store(), name, digest).await?;
    let value = |accepted: bool| -> Value {
        json!({
            "changed": accepted,
            "connector": name,
            "version": version.version,
            "digest": digest,
            "widenings": widenings_json(&widenings),
            "in_place_of": in_use.digest(),
            "trusted": trust.is_trusted,
            "limited_agents": trust.limited,
        })
    };
    if !form.json {
        write_widenings(&mut anstream::stdout().lock(), &widenings)?;
        if let Some(warning) = trust.warning(name) {
            show::note(&warning)?;
        }
    }
    let named = format!(
        "version {} of `{name}` ({})",
        version.version,
        digest.short()
    );
    if !args.yes {
        if form.json || !keyboard::is_there() {
            let message = format!("{named} waits to be accepted, and there is nobody to ask");
            let hint = format!("add `--yes`, and `--digest {digest}` to accept no other");
            return Err(Problem::mistake("not_confirmed", message, hint).into());
        }
        if !keyboard::agrees(&format!("Have {named} in use?"))? {
            return Ok(show::done(
                form,
                &value(false),
                "Nothing was changed.",
                None,
            )?);
        }
    }
    approvals::require_passphrase(&bench.session, "a version is accepted").await?;
    let store = bench.store();
    if let Some(before) = &in_use.inspected {
        catalog::meet(store, before.connector()).await?;
    }
    // Refused where another version is in use or waits by now: what was agreed to is what is done.
    let what = deciding(name, in_use.digest(), Some((digest, "in use")));
    let me = &bench.session.me.id;
    let work = store.accept_version(name, digest, in_use.installed, me);
    bench.session.deciding(what, work).await?;
    catalog::meet(store, inspected.connector()).await?;
    let sentence = match in_use.named() {
        Some(before) => format!("V{} is in use now, in place of {before}.", &named[1..]),
        None => format!("V{} is in use now.", &named[1..]),
    };
    let next = match in_use.named() {
        Some(_) => format!("`portcullis connector rollback {name}` goes back"),
        None => {
            let agent = agent::in_words(store).await?;
            format!("`portcullis agent give {agent} {name}` gives it to an agent")
        }
    };
    Ok(show::done(form, &value(true), &sentence, Some(&next))?)
}
