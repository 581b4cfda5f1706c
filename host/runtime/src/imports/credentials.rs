//! `credentials`: the account that the call acts for, and never its secret.

use crate::bindings::contract::credentials::{self, Host};
use crate::linker::PortcullisCtxView;
use crate::ports::credentials::{Environment, Identity};
use crate::scope::Task;

impl Host for PortcullisCtxView<'_> {
    async fn current(&mut self) -> wasmtime::Result<credentials::Account> {
        let scope = &self.ctx.scope;
        let connection = scope.account.connection.as_ref();
        let identity = match scope.task {
            // What it was before must not sway what it is found to be now.
            Task::Identify => None,
            Task::Tool(_) => connection.and_then(|connection| connection.identity.as_ref()),
        };
        Ok(credentials::Account {
            origin: match connection {
                Some(connection) => connection.origin.to_string(),
                None => first_origin(self),
            },
            scopes: connection.map_or_else(Vec::new, |connection| connection.scopes.clone()),
            identity: identity.map(to_guest),
        })
    }

    async fn token_placeholder(&mut self) -> wasmtime::Result<String> {
        Ok(self.ctx.scope.placeholder.clone())
    }
}

/// Without sign-in, requests go where the manifest says in full.
fn first_origin(view: &PortcullisCtxView<'_>) -> String {
    let origins = &view.ctx.scope.connector.manifest().origins;
    let first = origins.iter().find_map(|pattern| pattern.exact());
    first.map(ToString::to_string).unwrap_or_default()
}

fn to_guest(identity: &Identity) -> credentials::Identity {
    credentials::Identity {
        environment: match identity.environment {
            Environment::Production => credentials::Environment::Production,
            Environment::Sandbox => credentials::Environment::Sandbox,
            Environment::Development => credentials::Environment::Development,
            Environment::Unknown => credentials::Environment::Unknown,
        },
        user_id: identity.user_id.clone(),
        user_name: identity.user_name.clone(),
        organization_id: identity.organization_id.clone(),
        organization_name: identity.organization_name.clone(),
        facts: identity.facts.clone(),
    }
}

/// Takes over what a guest found out.
pub(crate) fn from_guest(identity: credentials::Identity) -> Identity {
    Identity {
        environment: match identity.environment {
            credentials::Environment::Production => Environment::Production,
            credentials::Environment::Sandbox => Environment::Sandbox,
            credentials::Environment::Development => Environment::Development,
            credentials::Environment::Unknown => Environment::Unknown,
        },
        user_id: identity.user_id,
        user_name: identity.user_name,
        organization_id: identity.organization_id,
        organization_name: identity.organization_name,
        facts: identity.facts,
    }
}
