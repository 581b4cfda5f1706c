//! Service accounts: no person signs in to them.

use anyhow::Result;
use portcullis_connect::{Connected, ServiceAccount, ServiceGrant};

use super::wanted::Wanted;
use crate::args::connect::Connect;
use crate::office::{Office, problem};
use crate::problem::Problem;

/// Connects one.
pub(super) async fn connect(office: &Office, args: &Connect, wanted: &Wanted) -> Result<Connected> {
    let grant = match (&args.service.jwt_user, &args.service.jwt_key_file) {
        (Some(user), Some(file)) => {
            let pem = std::fs::read_to_string(file).map_err(|error| {
                let message = format!("could not read `{}`: {error}", file.display());
                let hint = "give the private key's PEM file with `--jwt-key-file`";
                Problem::mistake("jwt_key_file", message, hint)
            })?;
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
        allow_other_organization: args.other_organization,
    };
    let connected = office.accounts.service_account(account).await;
    connected.map_err(|error| problem(&error).into())
}
