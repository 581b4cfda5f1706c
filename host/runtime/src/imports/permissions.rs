//! `permissions`: what only the guest can see, such as a query's objects, it asks about.

use super::{failure, unavailable};
use crate::bindings::contract::failures::{Failure, Reason};
use crate::bindings::contract::permissions::{self, Host};
use crate::connector::effect;
use crate::linker::PortcullisCtxView;
use crate::ports::permissions::Access;

impl Host for PortcullisCtxView<'_> {
    async fn check(
        &mut self,
        accesses: Vec<permissions::Access>,
    ) -> wasmtime::Result<Result<(), Failure>> {
        let scope = &self.ctx.scope;
        let accesses: Vec<Access> = accesses
            .into_iter()
            .map(|access| Access {
                effect: effect(access.effect),
                kind: access.kind,
                fields: access.fields,
            })
            .collect();
        let connector = &scope.connector.manifest().name;
        let permissions = &scope.ports.permissions;
        let decided = permissions.check(&scope.caller, connector, &accesses).await;
        Ok(match decided {
            Ok(Ok(())) => Ok(()),
            Ok(Err(denied)) => Err(failure(Reason::NotPermitted, denied.message)),
            Err(error) => Err(unavailable("decide on an access", &error)),
        })
    }

    async fn visible_fields(
        &mut self,
        kind: String,
        fields: Vec<String>,
    ) -> wasmtime::Result<Vec<String>> {
        let scope = &self.ctx.scope;
        let connector = &scope.connector.manifest().name;
        let permissions = &scope.ports.permissions;
        let visible = permissions
            .visible_fields(&scope.caller, connector, &kind, fields)
            .await;
        Ok(visible.unwrap_or_else(|error| {
            tracing::error!(%error, "what is visible is not known, so nothing is");
            Vec::new()
        }))
    }
}
