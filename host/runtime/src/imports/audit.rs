//! `audit`: what the guest adds to the account of its call.

use super::{bounded, named};
use crate::bindings::contract::audit::{self, Host};
use crate::linker::PortcullisCtxView;
use crate::ports::Sensitive;
use crate::ports::audit::{Durability, Event, Source};
use crate::reply::CitedRecord;
use crate::scope::CallScope;

/// Names of fields that one source keeps.
const FIELDS_MAX: usize = 200;

/// Characters of a record's kind, id and label that a caller is told.
const LABEL_CHARS_MAX: usize = 255;

impl Host for PortcullisCtxView<'_> {
    async fn step(&mut self, title: String, detail: Option<String>) -> wasmtime::Result<()> {
        if self.ctx.scope.admits_entries(1) {
            if let Some(steps) = &self.ctx.scope.steps {
                // Its detail may have values, and so goes to the log alone, sealed. A full channel: nobody takes it.
                let _ = steps.try_send(bounded(title.clone()));
            }
            let event = Event::Step {
                title: Sensitive::new(bounded(title)),
                detail: detail.map(|detail| Sensitive::new(bounded(detail))),
            };
            record(&self.ctx.scope, event).await;
        }
        Ok(())
    }

    async fn cite(&mut self, sources: Vec<audit::Source>) -> wasmtime::Result<()> {
        if !sources.is_empty() && self.ctx.scope.admits_entries(sources.len()) {
            for source in &sources {
                if let Some(record) = record_of(source) {
                    self.ctx.scope.cites(record);
                }
            }
            let sources = sources.into_iter().map(source).collect();
            record(&self.ctx.scope, Event::Cited(sources)).await;
        }
        Ok(())
    }
}

/// Writes what the guest said. Its words are no request: where they cannot be kept, the call goes on, for
/// everything that is sent has a record of its own.
async fn record(scope: &CallScope, event: Event) {
    if let Err(error) = scope.record(event, Durability::WithTheNext).await {
        tracing::error!(call = %scope.id, %error, "a connector's note could not be recorded");
    }
}

/// Gives the record that a source is.
fn record_of(source: &audit::Source) -> Option<CitedRecord> {
    let is_short = |text: &str| text.chars().count() <= LABEL_CHARS_MAX;
    let id = source.id.clone().filter(|id| is_short(id))?;
    Some(CitedRecord {
        kind: source.kind.clone(),
        id,
        label: source.label.clone().filter(|label| is_short(label)),
    })
    .filter(|record| is_short(&record.kind))
}

fn source(source: audit::Source) -> Source {
    let mut fields = source.fields;
    fields.truncate(FIELDS_MAX);
    Source {
        kind: named(source.kind),
        id: source.id.map(named),
        label: source.label.map(|label| Sensitive::new(bounded(label))),
        url: source.url.map(bounded),
        fields: fields.into_iter().map(named).collect(),
    }
}
