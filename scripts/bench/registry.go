package main

// families are all rows, in the order of the table.
var families []family

// curves are all growth curves.
var curves []curve

// studies are all other tables.
var studies []study

func init() {
	families = []family{
		eachTiny, singleAsynq, busyShort, busyLong, uneven, roundtrip, wake, wakeMany, manyVerbs, oneVerbs, bulk,
		primes, memoryOfMaster, memoryOfRedis,
	}
	curves = []curve{curveOfElements, curveOfMemory, curveOfSlots, curveOfSizes, curveOfVariables}
	studies = []study{requests, primesCost, carry, shards, tuning}
}
