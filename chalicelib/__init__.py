"""The DearDiary server: routes → services → storage, each imports only from the layers below it."""
