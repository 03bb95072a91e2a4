package workspacetest
var killTests, refusedTests, memoryTests, herdTests []test
