import assert from "node:assert/strict";
import { test } from "node:test";
import type { Me } from "../../state/session.ts";
import { rightsOf } from "./rights.ts";

const record = { id: "1", user_id: "u", project_id: "p", read_permission: true, delete_permission: false };
const member = {
  is_admin: false,
  permissions: [{ ...record, create_permission: true, update_permission: false }],
} as unknown as Me;

test("a member has the rights of the record of this project", () => {
  assert.deepEqual(rightsOf(member, "p"), { create: true, update: false, delete: false });
  assert.deepEqual(rightsOf(member, "other"), { create: false, update: false, delete: false });
});

test("an admin has all rights, and an unknown user none", () => {
  const all = { create: true, update: true, delete: true };
  assert.deepEqual(rightsOf({ is_admin: true } as Me, undefined), all);
  assert.equal(rightsOf(undefined, "p").update, false);
});
