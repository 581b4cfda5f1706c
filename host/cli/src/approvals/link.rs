//! A link to the page of all that waits for the person at the keyboard.
//!
//! The attack: an agent runs this command, and decides in the person's name on what any agent asks. So it is for a terminal, as a yes is.

use std::time::Duration;

use anyhow::Result;
use portcullis_connect::{LINK_LASTS, Links, LinksHere, LoopbackHost};
use serde_json::json;

use super::terminal;
use crate::args::approvals::ApprovalsLink;
use crate::home::Session;
use crate::problem::Problem;
use crate::show;

const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn run(session: &Session, args: &ApprovalsLink) -> Result<()> {
    terminal::require("a link to all that waits for you is made")?;
    let (store, me) = (session.store.clone(), &session.me.id);
    let port = args.connect_port;
    let link = match &args.public_url {
        Some(base) => Links::new(store, base.clone()).to_all(me).await,
        None => {
            LinksHere::new(store, LoopbackHost::Localhost, port)
                .to_all(me)
                .await
        }
    };
    let Some(link) = link else {
        let message = format!("no program with this store has its pages open at the port {port}");
        let hint = "a `portcullis serve` opens them when an agent is first given a link to them; `portcullis approvals list` \
                    lists what waits without them";
        return Err(Problem::failure("no_pages", message, Some(hint.to_owned())).into());
    };
    let signs_in = args.public_url.as_ref().is_some_and(|base| base.is_https());
    let next = match signs_in {
        true => "sign in there".to_owned(),
        false => format!(
            "open it yourself: for {} minutes whoever has it decides in your name, wherever no passphrase is asked for",
            LINK_LASTS.as_secs() / MINUTE.as_secs()
        ),
    };
    Ok(show::done(
        args.form,
        &json!({ "link": link }),
        &link,
        Some(&next),
    )?)
}
