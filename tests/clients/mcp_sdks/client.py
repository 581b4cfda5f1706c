"""An agent's client by the official Python SDK. `client.py stdio COMMAND…` starts the server, `client.py URL` asks the one at an address; the
token is in PORTCULLIS_TOKEN; with HEARS it only hears how far a call of the connector `contents` is. It says on standard output how far it is, a line of JSON each, and goes on when a line comes in."""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult, PromptReference, ResourceTemplateReference

MODE = os.environ["MODE"]
# Whether it only hears how far a call is.
HEARS = "HEARS" in os.environ


def say(**values) -> None:
    print(json.dumps(values), flush=True)


async def person() -> None:
    """Waits until the person has done something."""
    await asyncio.to_thread(sys.stdin.readline)


# What the person was asked by way of this client.
ASKED: list[str] = []


async def asks(_, params) -> ElicitResult:
    """Asks the person, who approves what is shown, and opens no link from here."""
    if params.mode == "url":
        return ElicitResult(action="decline")
    ASKED.append(params.message)
    return ElicitResult(action="accept", content={"approve": True})


def words(result) -> str:
    return "\n".join(part.text for part in result.content if part.type == "text")


async def ask(client: Client) -> None:
    tools = (await client.list_tools()).tools
    say(tools=sorted(tool.name for tool in tools), version=client.session.protocol_version)
    count = {"soql": "SELECT COUNT() FROM Account"}
    first = await client.call_tool("query", count)
    if first.is_error:
        say(connect=words(first))
        await person()
        first = await client.call_tool("query", count)
    say(answer=words(first), structured=first.structured_content)
    change = json.loads(os.environ["CHANGE"])
    held = await client.call_tool("update_record", change)
    approval = held.meta["portcullis/problem"]["approval"]
    say(approve=approval["link"], is_error=held.is_error)
    waiting = await client.call_tool("check_approval", {"approval": approval["id"]})
    say(state=waiting.structured_content["state"])
    await person()
    done = await client.call_tool("check_approval", {"approval": approval["id"]})
    say(done=words(done), is_error=done.is_error)
    await offers(client, change)
    await cancels(client)


async def offers(client: Client, change: dict) -> None:
    """Takes what there is besides tools, and has its person asked for a change."""
    read = await client.read_resource(f"salesforce://{change['object']}/{change['id']}")
    said = {"account": "Acme"}
    prompt = await client.get_prompt("prepare_meeting", said)
    template = ResourceTemplateReference(uri="salesforce://{object}")
    completed = await client.complete(template, {"name": "object", "value": "acco"})
    of_prompt = PromptReference(name="check_field")
    field = await client.complete(of_prompt, {"name": "field", "value": "indus"}, {"object": "Account"})
    say(
        read=read.contents[0].text,
        prompt=prompt.messages[0].content.text,
        completed=completed.completion.values[0],
        field=field.completion.values,
    )
    await person()
    change["fields"]["Site"] += " by a word in the chat"
    changed = await client.call_tool("update_record", change)
    say(changed=words(changed), is_error=changed.is_error, asked=ASKED)
    await person()


async def cancels(client: Client) -> None:
    """Gives up a call that takes long."""
    call = asyncio.create_task(client.call_tool("query", {"soql": "SELECT Id FROM Contact LIMIT 1"}))
    await asyncio.sleep(0)
    say(slow=True)
    await person()
    call.cancel()
    cancelled = (await asyncio.gather(call, return_exceptions=True))[0]
    after = await client.call_tool("get_identity", {})
    say(cancelled=isinstance(cancelled, asyncio.CancelledError), after=after.is_error)
    await person()


async def progress(client: Client) -> None:
    """Hears how far a call is."""
    heard = []

    async def hears(done: float, total: float | None, message: str | None) -> None:
        heard.append([done, total, message])

    answer = await client.call_tool("test_tool_with_progress", {}, progress_callback=hears)
    say(heard=heard, answer=words(answer))


async def main() -> None:
    if sys.argv[1] == "stdio":
        command, *arguments = sys.argv[2:]
        server = StdioServerParameters(command=command, args=arguments, env=json.loads(os.environ["VARIABLES"]))
        async with Client(server, mode=MODE, elicitation_callback=asks) as client:
            await (progress if HEARS else ask)(client)
        return
    if HEARS:
        async with Client(streamable_http_client(sys.argv[1]), mode=MODE) as client:
            await progress(client)
        return
    headers = {"Authorization": f"Bearer {os.environ['PORTCULLIS_TOKEN']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        async with Client(streamable_http_client(sys.argv[1], http_client=http), mode=MODE, elicitation_callback=asks) as client:
            await ask(client)


asyncio.run(main())
