"""An agent's client by the official Python SDK. `client.py stdio COMMAND…` starts the server, `client.py URL` asks the one at an address; the
token is in PORTCULLIS_TOKEN. It says on standard output how far it is, a line of JSON each, and goes on when a line comes in."""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

MODE = os.environ["MODE"]


def say(**values) -> None:
    print(json.dumps(values), flush=True)


async def person() -> None:
    """Waits until the person has done something."""
    await asyncio.to_thread(sys.stdin.readline)


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


async def main() -> None:
    if sys.argv[1] == "stdio":
        command, *arguments = sys.argv[2:]
        server = StdioServerParameters(command=command, args=arguments, env=json.loads(os.environ["VARIABLES"]))
        async with Client(server, mode=MODE) as client:
            await ask(client)
        return
    headers = {"Authorization": f"Bearer {os.environ['PORTCULLIS_TOKEN']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        async with Client(streamable_http_client(sys.argv[1], http_client=http), mode=MODE) as client:
            await ask(client)


asyncio.run(main())
