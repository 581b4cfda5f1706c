//! What there is, in lists, a page at a time.

use portcullis::policy::Mode;
use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ResourceTemplate,
};

use crate::paging::page;
use crate::{Server, check, prompts, resources, tools};

impl Server {
    pub(crate) async fn resources_listed(
        &self,
        request: Option<PaginatedRequestParams>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let offered = self.offered().await?;
        let resources = resources::resources(&offered).into_iter();
        let resources = resources.filter(|(_, resource)| !resource.is_template());
        let resources = resources.map(|(_, resource)| resources::describe(resource));
        let all = resources.collect();
        let (all, next) = page(all, |one| &one.uri, request.as_ref(), self.page_items())?;
        let mut listed = ListResourcesResult::with_all_items(all);
        listed.next_cursor = next;
        listed.ttl_ms = Some(0);
        listed.cache_scope = Some(CacheScope::Private);
        Ok(listed)
    }

    pub(crate) async fn templates_listed(
        &self,
        request: Option<PaginatedRequestParams>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let offered = self.offered().await?;
        let resources = resources::resources(&offered).into_iter();
        let templates = resources.filter(|(_, resource)| resource.is_template());
        let templates = templates.map(|(_, resource)| resources::describe_template(resource));
        let all = templates.collect();
        let (all, next) = page(
            all,
            |one: &ResourceTemplate| &one.uri_template,
            request.as_ref(),
            self.page_items(),
        )?;
        let mut listed = ListResourceTemplatesResult::with_all_items(all);
        listed.next_cursor = next;
        listed.ttl_ms = Some(0);
        listed.cache_scope = Some(CacheScope::Private);
        Ok(listed)
    }

    pub(crate) async fn prompts_listed(
        &self,
        request: Option<PaginatedRequestParams>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let offered = self.offered().await?;
        let prompts = prompts::prompts(&offered).into_iter();
        let all = prompts
            .map(|(_, prompt)| prompts::describe(prompt))
            .collect();
        let (all, next) = page(all, |one| &one.name, request.as_ref(), self.page_items())?;
        let mut listed = ListPromptsResult::with_all_items(all);
        listed.next_cursor = next;
        listed.ttl_ms = Some(0);
        listed.cache_scope = Some(CacheScope::Private);
        Ok(listed)
    }

    pub(crate) async fn tools_listed(
        &self,
        request: Option<PaginatedRequestParams>,
    ) -> Result<ListToolsResult, ErrorData> {
        let offered = self.offered().await?;
        let asks = offered
            .iter()
            .any(|offered| offered.decision.mode == Mode::Ask);
        let mut tools: Vec<_> = offered.iter().map(tools::describe).collect();
        if self.served.checks_approvals && asks {
            tools.push(check::describe());
        }
        let (tools, next) = page(tools, |one| &one.name, request.as_ref(), self.page_items())?;
        let mut listed = ListToolsResult::with_all_items(tools);
        listed.next_cursor = next;
        // What an agent has for a person is nobody else's, and may be other at any time.
        listed.ttl_ms = Some(0);
        listed.cache_scope = Some(CacheScope::Private);
        Ok(listed)
    }

    fn page_items(&self) -> Option<usize> {
        self.served.page_items.map(usize::from)
    }
}
