"""The DearDiary server: routes → services → storage, each importing only what stands below it."""
