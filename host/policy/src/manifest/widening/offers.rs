//! Resources and prompts of two versions. What a version offers anew reaches no farther than its tools, which have their own modes; but
//! what people know under a name must not become something else.

use super::{Declared, Widened, Widening};
use crate::{Effect, NamedCall, PromptSpec, ResourceSpec, ToolName};

pub(super) fn compare(before: &Declared<'_>, after: &Declared<'_>, found: &mut Vec<Widening>) {
    resources(&before.manifest.resources, &after.manifest.resources, found);
    for prompt in &after.manifest.prompts {
        let known = before.manifest.prompts.iter();
        if let Some(known) = known.clone().find(|known| known.name == prompt.name) {
            names_more(known, prompt, after, found);
            completed_otherwise(known, prompt, found);
        }
    }
}

fn resources(before: &[ResourceSpec], after: &[ResourceSpec], found: &mut Vec<Widening>) {
    let mut add = |text: String| found.push(Widening::new(Widened::Resource, text));
    for resource in after {
        let uri = &resource.uri;
        let Some(known) = before.iter().find(|known| known.uri.is_same_as(uri)) else {
            // One that takes addresses of another's is read in its place.
            if let Some(known) = before.iter().find(|known| is_between(known, resource)) {
                let of = &known.uri;
                add(format!("addresses of `{of}` are read as `{uri}`"));
            }
            continue;
        };
        if known.uri != *uri || known.read != resource.read || known.record != resource.record {
            add(format!("`{uri}` is read by another call"));
        }
        for (name, completing) in &resource.complete {
            let was = known.complete.get(name).map(|known| &known.call);
            if was.is_some_and(|was: &NamedCall| *was != completing.call) {
                add(format!("`{name}` of `{uri}` is completed by another call"));
            }
        }
    }
    let is_gone = |known: &&ResourceSpec| !after.iter().any(|one| one.uri.is_same_as(&known.uri));
    for known in before.iter().filter(is_gone) {
        if let Some(laxer) = after.iter().find(|one| is_between(one, known)) {
            let (was, now) = (&known.uri, &laxer.uri);
            add(format!("addresses of `{was}` are read as `{now}`"));
        }
    }
}

/// Says whether a resource takes addresses that another had.
fn is_between(known: &ResourceSpec, new: &ResourceSpec) -> bool {
    let (was, now) = (known.uri.rank(), new.uri.rank());
    was.len() == now.len() && now < was && known.uri.scheme() == new.uri.scheme()
}

fn completed_otherwise(known: &PromptSpec, prompt: &PromptSpec, found: &mut Vec<Widening>) {
    for argument in &prompt.arguments {
        let was = known.argument(&argument.name);
        let was = was.and_then(|known| known.complete.as_ref());
        let both = was.zip(argument.complete.as_ref());
        if both.is_some_and(|(was, now)| was.call != now.call) {
            let (name, of) = (&argument.name, &prompt.name);
            let text = format!("`{name}` of the prompt `{of}` is completed by another call");
            found.push(Widening::new(Widened::Prompt, text));
        }
    }
}

fn names_more(
    known: &PromptSpec,
    prompt: &PromptSpec,
    after: &Declared<'_>,
    found: &mut Vec<Widening>,
) {
    let is_more = |tool: &&ToolName| {
        let declared = after.tools.iter().find(|one| one.name == *tool);
        let reads = declared.is_some_and(|one| one.effect == Effect::Read);
        !reads && !known.tools.contains(tool)
    };
    for tool in prompt.tools.iter().filter(is_more) {
        let name = &prompt.name;
        let text = format!("the prompt `{name}` has agents use the tool `{tool}`");
        found.push(Widening::new(Widened::Prompt, text));
    }
}
