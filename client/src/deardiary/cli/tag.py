"""Tags on the command line: ``tag`` of projects, experiments and iterations."""

from deardiary.cli.command import Call
from deardiary.cli.failure import CommandFailed
from deardiary.entities.tag import Owner


def change_tags(call: Call, owner: Owner, owner_id: str) -> None:
    """Add or remove the tags that the command names, and show the resulting tags."""
    tags = call.client.tags
    if call.given.remove:
        known = {each.value: each.id for each in tags.list(owner, owner_id)}
        unknown = [each for each in call.given.tags if each not in known]
        if unknown:
            raise CommandFailed(f"This {owner} has no tag {unknown[0]!r}; it has: {', '.join(known) or 'none'}")
        for value in call.given.tags:
            tags.delete(owner, owner_id, known[value])
    else:
        for value in call.given.tags:
            tags.create(owner, owner_id, value)
    left = [each.value for each in tags.list(owner, owner_id)]
    call.output.json({"id": owner_id, "tags": left})
    call.output.say(f"{owner_id} has the tags: {', '.join(left)}" if left else f"{owner_id} has no tags")
