//! `portcullis connect`: an account at a service, a person's own or shared.

mod browser;
mod progress;
mod public;
mod service;
mod wanted;
mod words;

use anyhow::Result;
use portcullis::ComponentCache;

use crate::args::connect::Connect;
use crate::bundled;
use crate::home::Home;
use crate::office::Office;
use crate::show;
use wanted::Wanted;

/// Connects an account.
pub(crate) async fn run(args: &Connect, home: &Home, cache: ComponentCache) -> Result<()> {
    bundled::require(&args.connector)?;
    let session = home.open().await?;
    if args.is_shared() {
        session.require_administrator().await?;
    }
    let office = Office::open(session, &args.network, cache).await?;
    // What another time left in the middle.
    office.accounts.sweep().await?;
    let manifest = office.manifest(&args.connector)?;
    let wanted = Wanted::of(&office, &manifest, args).await?;
    let connected = match &args.public_url {
        Some(base) => public::connect(&office, &manifest, args, base, &wanted).await?,
        None if args.is_by_person() => browser::connect(&office, &manifest, args, &wanted).await?,
        None => service::connect(&office, args, &wanted).await?,
    };
    let (value, sentence, next) = words::connected(&connected, &wanted);
    Ok(show::done(args.form, &value, &sentence, Some(&next))?)
}
