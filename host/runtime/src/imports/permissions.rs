//! `permissions`: what only the guest can see, such as a query's objects, it asks about.

use super::failure;
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
        let guarded = &scope.connector.manifest().guarded_kinds;
        for access in accesses {
            let access = Access {
                effect: effect(access.effect),
                kind: access.kind,
                fields: access.fields,
            };
            if let Err(denied) = scope.policy.check(guarded, &access) {
                let words = denied.to_string();
                scope.denied(denied);
                return Ok(Err(failure(Reason::NotPermitted, words)));
            }
        }
        Ok(Ok(()))
    }

    async fn visible_fields(
        &mut self,
        kind: String,
        fields: Vec<String>,
    ) -> wasmtime::Result<Vec<String>> {
        Ok(self.ctx.scope.policy.visible_fields(&kind, fields))
    }
}
