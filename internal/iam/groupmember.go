package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerGroupMembers(*service.Registry, *Service) {}
