//! Service accounts: no person signs in to them.

use std::io::Write;

use anyhow::Result;
use portcullis::policy::Origin;
use portcullis_connect::{Connected, ServiceAccount, ServiceGrant};

use super::wanted::Wanted;
use super::words;
use crate::args::connect::Connect;
use crate::office::{Office, problem};
use crate::problem::Problem;
use crate::show::table::shown;

/// Connects one.
pub(super) async fn connect(office: &Office, args: &Connect, wanted: &Wanted) -> Result<Connected> {
    write!(
        anstream::stderr().lock(),
        "{}",
        words::service_app(args, wanted)
    )?;
    let grant = match (&args.service.jwt_user, &args.service.jwt_key_file) {
        (Some(user), Some(file)) => {
            let pem = std::fs::read_to_string(file).map_err(|error| {
                let message = format!("could not read `{}`: {error}", file.display());
                let hint = "give the private key's PEM file with `--jwt-key-file`";
                Problem::mistake("jwt_key_file", message, hint)
            })?;
            if let Some(audience) = &args.service.jwt_audience
                && Origin::parse(audience.trim_end_matches('/')).is_err()
            {
                let message = format!("`{}` is no audience of assertions", shown(audience));
                let hint = "give `--jwt-audience` as the address of a login, such as `https://login.salesforce.com`, or leave it out";
                return Err(Problem::mistake("jwt_audience", message, hint).into());
            }
            ServiceGrant::Jwt {
                private_key_pem: pem.into(),
                subject: user.clone(),
                audience: args.service.jwt_audience.clone(),
            }
        }
        _ => ServiceGrant::ClientCredentials,
    };
    let account = ServiceAccount {
        person: &office.me,
        connector: &args.connector,
        app: &wanted.app,
        login: &wanted.login,
        grant,
        label: &wanted.label,
        replaces: wanted.replaces.clone(),
        allow_other_organization: args.other_account,
    };
    let connected = office.accounts.service_account(account).await;
    connected.map_err(|error| {
        let mut problem = problem(&error);
        if let Some(audience) = &args.service.jwt_audience {
            let said = format!(
                "`--jwt-audience` was `{audience}`; without it assertions are for {}",
                wanted.login.origin
            );
            problem.hint = Some(match problem.hint {
                Some(hint) => format!("{hint}\n{said}"),
                None => said,
            });
        }
        problem.into()
    })
}
